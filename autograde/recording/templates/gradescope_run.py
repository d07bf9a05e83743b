#!/usr/bin/env python3
"""Gives a student on Gradescope the grade that the course's gradebook has. Nothing that was handed in is run.

Gradescope starts this for each submission and says whose it is in submission_metadata.json.
"""

import json
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else "/autograder")


def main() -> int:
    """Copy the student's result to where Gradescope looks for it; 1 if the gradebook does not know the student."""
    here = ROOT / "source"
    students = json.loads((here / "students.json").read_text(encoding="utf-8"))
    users = json.loads((ROOT / "submission_metadata.json").read_text(encoding="utf-8"))["users"]
    for user in users:
        for field in ("email", "sid", "name"):  # the surest first
            name = " ".join(str(user.get(field) or "").casefold().split())
            if name in students:
                result = (here / "results" / f"{students[name]}.json").read_text(encoding="utf-8")
                (ROOT / "results").mkdir(exist_ok=True)
                (ROOT / "results" / "results.json").write_text(result, encoding="utf-8")
                return 0
    print("The gradebook has no grade for", ", ".join(str(user.get("email") or user.get("name")) for user in users))
    return 1


if __name__ == "__main__":
    sys.exit(main())
