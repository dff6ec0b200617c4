"""Ask PyPI for known holes in what is installed here; where it cannot be asked, say so instead of passing.

    python scripts/audit_dependencies.py

Ends with status 1 when a hole is known, else with 0.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

TIMEOUT_SECONDS = 300
COMMAND = ("-m", "pip_audit", "--format=json", "--progress-spinner=off", "--skip-editable", "--timeout=20")


def main() -> int:
    """Print what is known; gives the exit status."""
    try:
        audit = subprocess.run(
            [sys.executable, *COMMAND], capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
        )
        packages: list[dict[str, Any]] = json.loads(audit.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, json.JSONDecodeError, KeyError):
        packages = []
    asked = [package for package in packages if "vulns" in package]
    if not asked:
        print("dependency audit: NOT DONE, its database cannot be reached from here")
        return 0
    holes = [(package, hole) for package in asked for hole in package["vulns"]]
    for package, hole in holes:
        fixed = ", ".join(hole["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {hole['id']}, fixed in {fixed}")
    unknown = len(packages) - len(asked)
    print(f"dependency audit: {len(asked)} packages, {len(holes)} known holes; {unknown} not known to the database")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
