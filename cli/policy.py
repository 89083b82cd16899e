"""`synthvae policy init`: a policy to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from synthvae.errors import UsageError, hint
from synthvae.files import refuse_overwrite, write_bytes

from .console import Force, Quiet, Reporter

policy = typer.Typer(no_args_is_help=True, help="Policies for `synthvae check`.")


@policy.callback()
def _group() -> None:
    """Policies for `synthvae check`."""


@policy.command()
def init(
    profile: Annotated[str, typer.Option(help="internal-test, share-with-partner or publish.")],
    output: Annotated[
        str, typer.Option("-o", "--output", help="The policy file; - for stdout.")
    ] = "policy.yaml",
    force: Force = False,
    quiet: Quiet = False,
) -> None:
    """Write a policy with the reason for each limit, to be changed and committed."""
    from synthvae.gate.profiles import PROFILES, text_of

    if profile not in PROFILES:
        raise UsageError(
            f"a profile is one of {', '.join(PROFILES)}, but --profile asks for '{profile}'; "
            f"{hint(profile, PROFILES)}"
        )
    text = text_of(profile)
    if output == "-":
        sys.stdout.write(text)
        return
    refuse_overwrite(Path(output), force)
    write_bytes(Path(output), text.encode())
    rules = len(PROFILES[profile].limits)
    Reporter(quiet, as_json=False).say(f"{rules} rules for {PROFILES[profile].purpose} -> {output}")
