"""
Grades the tests of what a recording's truth rests on: faults are planted, are they noticed?

    python tests/grade.py                              every part, 120 mutants each
    python tests/grade.py --part ledger --seed 7
    python tests/grade.py --part journal --sample 0    every mutant there is (hours)

The mutants come from the source (`tests/grading/mutants.py`), the seed chooses among
them, and each is tried in a copy of the project by the quick tests that run its line.
A mutant no test fails for has survived: the line it changes can be wrong, and nobody
would know. Those that change nothing anybody could notice are listed, with the reason,
in `tests/grading/equivalent.txt`. Exit code 1 if a part is below 95 %.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from grading.trials import Part, Verdict, made_plan, tried

ROOT = Path(__file__).resolve().parent.parent
EQUIVALENT = Path(__file__).parent / "grading" / "equivalent.txt"
TARGET = 0.95
TOLD_EVERY = 25

_JOURNAL = (
    *("journal", "syncing", "whereabouts", "fold", "sequencer"),
    *("resuming", "catching_up", "sealing", "verifying"),
)
_JOURNAL_TESTS = (
    *("journal", "journal_writer", "whereabouts", "fold", "sequencer", "resuming", "last_stretch"),
    *("catching_up", "sealing", "verifying", "folder", "writer"),
)
PARTS = {
    "supervisor": Part(("toolkit/connect",), ("tests/connect",), "not planted_fault"),
    "journal": Part(
        tuple(f"toolkit/store/{name}.py" for name in _JOURNAL),
        tuple(f"tests/store/test_{name}.py" for name in _JOURNAL_TESTS),
        "not kill and not flipped_bytes and not rebuilding",
    ),
    "ledger": Part(("toolkit/ledger",), ("tests/ledger",), "not truth_is_known or small"),
}
"""The tests of each are the quick ones: a minute of them altogether."""


def equivalents(text: str) -> dict[str, str]:
    """Return the reason of each mutant that is no fault, by its key."""
    found = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            key, _, reason = line.rpartition(" | ")
            found[key] = reason
    return found


def graded(name: str, args: argparse.Namespace) -> bool:
    """Grade one part, and tell; return whether it reaches the target."""
    began = time.monotonic()
    known = equivalents(EQUIVALENT.read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="grade-") as folder:
        scratch = Path(folder)
        plan = made_plan(PARTS[name], ROOT, scratch)
        chosen = plan.mutants
        if args.again:
            told = args.again.read_text("utf-8")
            chosen = [mutant for mutant in chosen if mutant.key in told]
        elif args.sample:
            chosen = Random(args.seed).sample(chosen, min(args.sample, len(chosen)))
        left = [mutant for mutant in chosen if mutant.key not in known]
        print(
            f"{name}: {len(plan.mutants)} mutants, {len(plan.idle)} more in lines that no quick test runs; "
            f"{len(left)} are tried after {time.monotonic() - began:.0f} s, seed {args.seed}",
            flush=True,
        )
        verdicts: Counter[Verdict] = Counter()
        for mutant, verdict, said in tried(plan, left, scratch, jobs=args.jobs):
            verdicts[verdict] += 1
            if verdict is not Verdict.KILLED or args.verbose:
                print(f"{verdict.upper()} {mutant.lines[0]}: {mutant.key}", flush=True)
            if verdicts.total() % TOLD_EVERY == 0:
                print(f"{name}: {verdicts.total()} tried, {verdicts[Verdict.SURVIVED]} survived", flush=True)
            if args.verbose:
                print("    " + "\n    ".join(said.strip().splitlines()[-3:]), flush=True)
    hung = verdicts[Verdict.HUNG]
    noticed = verdicts[Verdict.KILLED] + hung
    share = noticed / len(left) if left else 1.0
    print(
        f"{name}: {noticed} of {len(left)} killed ({share:.1%}), {hung} of them by not ending; "
        f"{len(chosen) - len(left)} equivalent ones left out; {time.monotonic() - began:.0f} s",
        flush=True,
    )
    for key in sorted(known.keys() - {mutant.key for mutant in plan.mutants}):
        if any(key.startswith(source) for source in PARTS[name].sources):
            print(f"no longer there, take it out of equivalent.txt: {key}", flush=True)
    return share >= TARGET


def main() -> int:
    """Grade what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=1, help="chooses the sample")
    parser.add_argument("--sample", type=int, default=120, help="mutants of each part; 0 for all")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--again", type=Path, help="only what this output of an earlier run names")
    parser.add_argument("--verbose", action="store_true", help="tell which test noticed")
    args = parser.parse_args()
    names = list(PARTS) if args.part == "all" else [args.part]
    reached = [graded(name, args) for name in names]
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
