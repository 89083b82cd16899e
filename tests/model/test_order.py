"""In which order blocks are written."""

from synthvae.layout import Block, Layout
from synthvae.model.features import RowFeatures
from synthvae.model.order import steps_of

LAYOUT = Layout(
    (
        Block("n:class", "n", "categorical", 2, (0.0, None)),
        Block("n:place", "n", "scalar", 1),
        Block("big", "big", "categorical", 9),
        Block("small", "small", "categorical", 2),
        Block("m", "m", "scalar", 1),
    )
)


def test_few_classes_first_densities_last_and_columns_together() -> None:
    steps = steps_of(LAYOUT)
    assert [(s.column, s.kind) for s in steps] == [
        ("small", "categorical"),
        ("big", "categorical"),
        ("n", "categorical"),
        ("n", "scalar"),
        ("m", "scalar"),
    ]
    assert [s.at for s in steps] == [2, 1, 0, 0, 1]


def test_a_number_is_known_after_its_scalar() -> None:
    features = RowFeatures(steps_of(LAYOUT), embedding=4, soft=2)
    assert [number.known for number in features.numbers] == [3, 4]
    assert features.before == [0, 4, 8, 12, 15]
    assert features.width == 18


def test_the_order_of_the_layout_goes_before_the_rule() -> None:
    layout = Layout(LAYOUT.blocks, ("big",), ("m", "big", "n", "small"))
    steps = steps_of(layout.part(given=False).layout)
    assert [(s.column, s.kind) for s in steps] == [
        ("m", "scalar"),
        ("n", "categorical"),
        ("n", "scalar"),
        ("small", "categorical"),
    ]
    assert Layout.from_json(layout.to_json()) == layout
