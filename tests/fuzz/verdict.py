"""Whether a case ended as it should, and if not, in how many ways."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass
from pathlib import Path

from cases import Case
from workers import Ending
from written import NOT_FINITE, faults_of_outputs

DOCUMENTED = (0, 2, 3, 4, 5, 6, 7, 8)
MOST_LINES, MOST_LETTERS = 6, 2000

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\udc80-\udcff]")
FRAME = re.compile(r'File "([^"]+)", line (\d+)(?:,)? in (\S+)')


@dataclass(frozen=True)
class Fault:
    """One way in which a case failed.

    Attributes:
        sort: traceback, signal, hang, not finite, memory, message, or output.
        what: what happened; equal for cases that most likely have one cause.
    """

    sort: str
    what: str


def judge(case: Case, ending: Ending, folder: Path, memory: int) -> list[Fault]:
    """The faults of a case, the worst first; none: it ended well within `memory` MiB."""
    out, err = (text.decode("utf-8", "surrogateescape") for text in (ending.stdout, ending.stderr))
    if ending.code is None:
        return [Fault("hang", f"more than {case.patience:g} s at {_place(err, newest_first=True)}")]
    if ending.code < 0:
        name = signal.Signals(-ending.code).name
        return [Fault("signal", f"{name} at {_place(err, newest_first=True)}")]
    faults = []
    if ending.code not in DOCUMENTED or "Traceback (most recent call last)" in err:
        faults.append(Fault("traceback", f"{_exception(err)} at {_place(err)} (exit {ending.code})"))
    elif ending.code:
        faults += _faults_of_message(err)
    if ending.code and not case.damaged:
        faults.append(Fault("output", f"a valid input ends in exit {ending.code}: {_cause(err)}"))
    if ending.peak >> 20 > memory:
        faults.append(Fault("memory", f"more than {memory} MiB"))
    faults += _faults_of_printed(out, err, ending.code)
    faults += [_of_output(text) for text in faults_of_outputs(folder, set(case.files))]
    if ending.code == 0:
        faults += [
            Fault("output", f"exit 0 without {name}") for name in _promised(case) if not (folder / name).exists()
        ]
        if "--json" in case.command and not _is_json(out):
            faults.append(Fault("output", f"stdout is no JSON: {_short(out[:60])}"))
    return faults


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _promised(case: Case) -> list[str]:
    """The places that a command line names for results."""
    if "--dry-run" in case.command:
        return []
    return [case.command[i + 1] for i, word in enumerate(case.command) if word in ("-o", "--dataset")]


def _of_output(text: str) -> Fault:
    return Fault("not finite" if "not finite" in text or " in it" in text else "output", text)


def _faults_of_message(err: str) -> list[Fault]:
    """A failure has to be told by one message: its cause, and what to do about it."""
    message = err[err.find("error: ") :].rstrip("\n") if "error: " in err else ""
    lines = message.split("\n")
    checks = {
        "no line that begins with 'error: '": not message,
        "no remedy": bool(message) and not any(line.startswith("try: ") for line in lines),
        f"more than {MOST_LINES} lines": len(lines) > MOST_LINES,
        f"more than {MOST_LETTERS} letters": len(message) > MOST_LETTERS,
        "a remedy that does not fit a damaged file": "does not fit in memory" in message,
    }
    cause = _short(lines[0])
    return [Fault("message", f"{text}: {cause}") for text, wrong in checks.items() if wrong]


def _faults_of_printed(out: str, err: str, code: int) -> list[Fault]:
    faults = []
    for name, text in (("stdout", out), ("stderr", err)):
        found = CONTROL.search(text)
        if found:
            line = text[: found.start()].rpartition("\n")[2]
            faults.append(Fault("message", f"{found.group()!r} in {name} after {_short(line[-60:])}"))
    numbers = [line for line in out.splitlines() if NOT_FINITE.search(line) and "looks" not in line]
    if numbers:
        faults.append(Fault("not finite", f"printed: {_short(numbers[0].split()[0])}"))
    warned = re.search(r"^(\S+?):(\d+): (\w*Warning): (.*)$", err, re.MULTILINE)
    if warned:
        path, line, kind, text = warned.groups()
        # numpy says "invalid value" where NaN came out, and before a cast where one got lost in a picture
        sort = "not finite" if text.startswith("invalid value") and code == 0 else "warning"
        faults.append(Fault(sort, f"{kind} at {_within(path)}:{line}: {text[:80]}"))
    return faults


def _cause(err: str) -> str:
    return _short(next((line for line in err.splitlines() if line.startswith("error: ")), err[-200:]))


def _short(line: str) -> str:
    """A line without what differs from case to case."""
    return re.sub(r"\d+", "#", line.encode("unicode_escape").decode())[:140]


def _exception(err: str) -> str:
    """The last exception's type."""
    found = re.findall(r"^([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Bomb|Warning|Fault)\b)", err, re.MULTILINE)
    return str(found[-1]) if found else "no exception"


def _place(err: str, *, newest_first: bool = False) -> str:
    """The innermost line of the library in a traceback, and the innermost line at all if that is another."""
    frames = FRAME.findall(
        _main_thread(err) if newest_first else err.rpartition("Traceback (most recent call last)")[2]
    )
    if newest_first:
        frames = frames[::-1]
    shown = [f"{_within(path)}:{line} {name}" for path, line, name in frames]
    own = [text for text in shown if re.match(r"(invrender|cli|backends)/", text)]
    return " < ".join(dict.fromkeys([*own[-1:], *shown[-1:]])) or "an unknown place"


def _main_thread(err: str) -> str:
    """The part of faulthandler's last dump that is about the thread that runs the command.

    A process that was slow before it crashed leaves a dump of either.
    """
    dumps = re.split(r"^(?=Timeout \(|Fatal Python error: )", err, flags=re.MULTILINE)
    blocks = re.split(r"^(?=(?:Current thread|Thread) 0x)", dumps[-1], flags=re.MULTILINE)
    return next((block for block in blocks if "worker.py" in block), err)


def _within(path: str) -> str:
    """A path from the library's or the package's folder on."""
    for mark in ("site-packages/", "/cli/", "/backends/", "/invrender/"):
        if mark in path:
            return path.rpartition(mark)[2] if mark == "site-packages/" else mark[1:] + path.partition(mark)[2]
    return path.rpartition("/")[2]
