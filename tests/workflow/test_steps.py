"""What is due is done, what is not is left alone, and every reason is named."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from synthvae.errors import ArtifactError
from synthvae.workflow.state import NAME, State
from synthvae.workflow.steps import Step, foretold, reasons, take


class Kitchen:
    """Two steps: `cut` copies the data's first `most` bytes, `cook` counts them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.taken, self.resumed = folder, list[str](), list[bool]()
        self.settings: dict[str, object] = {"size": {"most": 4}}
        self.code, self.fail = 0, False
        (folder / "data").write_text("abcdef")

    def steps(self) -> list[Step]:
        data, cut, cooked = (self.folder / name for name in ("data", "cut", "cooked"))

        def act_cut(resume: bool) -> int:
            self.taken.append("cut")
            self.resumed.append(resume)
            if self.fail:
                raise KeyboardInterrupt
            cut.write_text(data.read_text()[: self.settings["size"]["most"]])  # type: ignore[index]
            return 0

        def act_cook(resume: bool) -> int:
            self.taken.append("cook")
            cooked.write_text(str(len(cut.read_text())))
            return self.code

        return [
            Step("cut", act_cut, {"data": data}, self.settings, (cut, self.folder / "maybe")),
            Step("cook", act_cook, {"cut": cut}, {}, (cooked,)),
        ]

    def run(self) -> dict[str, int]:
        self.taken = []
        return take(self.steps(), State.load(self.folder), lambda *_: None, lambda *_: None)

    def plan(self) -> dict[str, list[str]]:
        return foretold(self.steps(), State.load(self.folder))


@pytest.fixture
def kitchen(tmp_path: Path) -> Kitchen:
    return Kitchen(tmp_path)


def test_what_was_done_is_not_done_again(kitchen: Kitchen) -> None:
    assert kitchen.plan() == {"cut": ["it was never done"], "cook": ["it was never done"]}
    assert kitchen.run() == {"cut": 0, "cook": 0}
    assert kitchen.taken == ["cut", "cook"]
    kitchen.run()
    assert kitchen.taken == []
    assert kitchen.plan() == {"cut": [], "cook": []}


def change_setting(kitchen: Kitchen) -> None:
    kitchen.settings = {"size": {"most": 3}}


def change_data(kitchen: Kitchen) -> None:
    (kitchen.folder / "data").write_text("xyz")


def lose_output(kitchen: Kitchen) -> None:
    (kitchen.folder / "cut").unlink()


def spoil_output(kitchen: Kitchen) -> None:
    (kitchen.folder / "cut").write_text("spoilt")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_setting, "setting size.most: 4 -> 3"),
        (change_data, "input data changed"),
        (lose_output, "output cut is gone"),
        (spoil_output, "output cut was changed"),
    ],
)
def test_the_reason_is_named_and_all_that_follows_is_done(
    kitchen: Kitchen, change: Callable[[Kitchen], None], reason: str
) -> None:
    kitchen.run()
    change(kitchen)
    assert kitchen.plan()["cut"] == [reason]
    kitchen.run()
    assert kitchen.taken[0] == "cut"
    assert kitchen.plan() == {"cut": [], "cook": []}


def test_the_same_output_leaves_later_steps_alone(kitchen: Kitchen) -> None:
    kitchen.run()
    (kitchen.folder / "data").write_text("abcd, and more")  # the first four are the same
    assert kitchen.plan()["cook"] == ["only if cut gives something else"]
    kitchen.run()
    assert kitchen.taken == ["cut"]


def test_an_exit_code_is_remembered(kitchen: Kitchen) -> None:
    kitchen.code = 4
    assert kitchen.run() == {"cut": 0, "cook": 4}
    assert kitchen.run() == {"cut": 0, "cook": 4}
    assert kitchen.taken == []


def test_a_step_that_was_stopped_goes_on_from_the_same_inputs_alone(kitchen: Kitchen) -> None:
    kitchen.fail = True
    with pytest.raises(KeyboardInterrupt):
        kitchen.run()
    assert kitchen.plan()["cut"] == ["it was begun and not finished"]
    with pytest.raises(KeyboardInterrupt):
        kitchen.run()
    change_data(kitchen)
    kitchen.fail = False
    kitchen.run()
    assert kitchen.resumed == [False, True, False]


def test_a_step_without_outputs_is_asked_every_time(kitchen: Kitchen) -> None:
    step = Step("gate", lambda _: 1, {})
    assert reasons(step, State.load(kitchen.folder)) == ["it is asked every time"]


def test_another_version_is_a_reason(kitchen: Kitchen, monkeypatch: pytest.MonkeyPatch) -> None:
    kitchen.run()
    monkeypatch.setattr("synthvae.__version__", "9.9")
    assert kitchen.plan()["cut"][0].startswith("version synthvae: ")


def test_settings_are_kept_as_json_has_them(kitchen: Kitchen) -> None:
    """Else a state that is read back would differ from what it was written for."""
    kitchen.settings |= {"rules": [{"from": date(2020, 1, 31), 1: (2, 3)}], "none": {}}
    kitchen.run()
    assert kitchen.run() == {"cut": 0, "cook": 0}
    assert kitchen.taken == []


def test_the_state_is_for_its_owner_and_is_checked(kitchen: Kitchen) -> None:
    kitchen.run()
    path = kitchen.folder / NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("{}")
    with pytest.raises(ArtifactError, match="delete it, and all steps are taken again"):
        State.load(kitchen.folder)
