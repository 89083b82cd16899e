"""The commands, and how errors leave the program: in words, with a code, never as a traceback."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperGroup

from synthvae import __version__
from synthvae.errors import SynthvaeError

from .audit import audit
from .card import card
from .check import check
from .console import drop, words
from .detect import detect
from .encode import encode
from .evaluate import evaluate
from .export import export
from .fit import fit
from .guard import guard
from .impute import impute
from .inspect import inspect
from .interpolate import interpolate
from .policy import policy
from .reconstruct import reconstruct
from .report import report
from .run import run
from .sample import sample
from .schema import schema
from .score import score
from .stopping import INTERRUPTED, TERMINATED, Terminated, stoppable
from .traverse import traverse
from .verify import verify

FAULT = 70  # any other code would be read as an answer
TRACEBACK = "SYNTHVAE_TRACEBACK"


class Commands(TyperGroup):
    """Turns errors that a user can cause into words and exit codes."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with stoppable():
                return super().invoke(ctx)
        except SynthvaeError as error:
            for reason in error.reasons:
                words.print(f"[red]error:[/red] {escape(reason)}")
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as error:
            words.print(
                "stopped; nothing is half-written. An unfinished fit or sample goes on with "
                "--resume, but a private fit begins anew, and what it spent is spent"
            )
            code = TERMINATED if isinstance(error, Terminated) else INTERRUPTED
            raise typer.Exit(code) from error
        except BrokenPipeError as error:
            drop(sys.stdout)  # the reader of a pipe has seen enough
            raise typer.Exit(0) from error
        except OSError as error:
            if error.errno == errno.ENOSPC:
                drop(sys.stdout)
            words.print(f"[red]error:[/red] {escape(_why(error))}")
            raise typer.Exit(3) from error
        except MemoryError as error:
            words.print(
                "[red]error:[/red] a table fits into memory, but there is too little; "
                "use fewer rows or a larger machine"
            )
            raise typer.Exit(3) from error
        except (typer.Exit, typer.Abort):
            raise
        except Exception as error:
            if hasattr(error, "exit_code"):  # the command line's own, which shows itself
                raise
            if os.environ.get(TRACEBACK):
                traceback.print_exc()
            what = f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
            words.print(
                f"[red]error:[/red] a fault of synthvae, not of yours ({escape(what)}); nothing is "
                f"half-written. Please report it, with what {TRACEBACK}=1 shows"
            )
            raise typer.Exit(FAULT) from error


def _why(error: OSError) -> str:
    where = f" '{error.filename}'" if error.filename else ""
    if error.errno == errno.ENOSPC:
        return (
            "outputs are written whole, but the disk is full; nothing was left behind, free space"
        )
    return f"files can be read and written, but{where}: {error.strerror or error}; check it"


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    *(detect, fit, sample, verify, evaluate, audit, report, check, run, guard),
    *(inspect, card, schema, export),
    *(score, impute, encode, reconstruct, interpolate, traverse),
):
    app.command()(command)
app.add_typer(policy, name="policy")


def _version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"synthvae {__version__}\n")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Learn a table and write as many new rows as anyone wants, with evidence of how faithful
    they are. Exit codes: 0 ok, 1 gate failed or not as noted, 2 usage, 3 bad data,
    4 inconclusive (audit), 70 a fault of synthvae."""
