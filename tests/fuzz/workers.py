"""The worker process as seen from outside: started when it is needed, ended when it hangs, replaced when it dies."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cases import Case

WORKER = Path(__file__).parent / "programs" / "worker.py"
START = 300.0  # seconds for the imports on a busy machine
GRACE = 5.0  # seconds in which a hanging worker writes down where it hangs


@dataclass(frozen=True)
class Ending:
    """How a case ended.

    Attributes:
        code: the exit code; None where the process hung; below 0, the signal that ended it.
        seconds: it took.
        peak: bytes of resident memory at most.
        stdout, stderr: what was printed.
    """

    code: int | None
    seconds: float
    peak: int
    stdout: bytes
    stderr: bytes


class Worker:
    """Runs cases, one at a time, in a process that outlives them unless they break it."""

    def __init__(self, tree: Path, program: str, most: int = 200) -> None:
        """Take the library from `tree`, and call `program` (module:function); a process serves `most` cases."""
        self.tree, self.program, self.most = tree, program, most
        self.process: subprocess.Popen[bytes] | None = None
        self.served = 0

    def run(self, case: Case, place: Path) -> Ending:
        """Run a case whose files lie in place/in."""
        if self.served >= self.most:
            self.close()
        self._start()
        self.served += 1
        job = {"arguments": case.command, "folder": str(place / "in"), "patience": case.patience}
        answer = self._ask(job, case.patience + GRACE)
        code, seconds, peak = (answer[key] for key in ("code", "seconds", "peak"))
        return Ending(code, seconds, peak, _printed(place / "stdout"), _printed(place / "stderr"))

    def close(self) -> None:
        """End the process, whatever it does."""
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
            self.process = None

    def _start(self) -> None:
        if self.process is not None and self.process.poll() is None:
            return
        paths = [str(self.tree), os.environ.get("PYTHONPATH", "")]
        settings = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "NO_COLOR": "1", "COLUMNS": "100"}
        threads = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        self.process = subprocess.Popen(
            [sys.executable, str(WORKER), self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **threads, **settings},
        )
        self.served = 0
        if "ready" not in self._answer(START):
            raise RuntimeError(f"the worker of {self.tree} does not start")

    def _ask(self, job: dict[str, Any], patience: float) -> dict[str, Any]:
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(json.dumps(job).encode() + b"\n")
        self.process.stdin.flush()
        return self._answer(patience)

    def _answer(self, patience: float) -> dict[str, Any]:
        """What the worker says; of one that hangs or died, what can be said in its place."""
        assert self.process is not None and self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], patience)
        line = self.process.stdout.readline() if ready else b""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        code = self.process.wait() if ready else None
        self.close()
        return {"code": code, "seconds": patience, "peak": 0}


def _printed(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
