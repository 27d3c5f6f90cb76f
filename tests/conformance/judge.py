"""Compares a conformance report with the expected one: judge.py REPORT EXPECTED [--accept].

judge.py --without "PATTERN..." EXPECTED prints what is expected when these cases do not run.
"""

import collections
import fnmatch
import json
import re
import sys

if sys.argv[1] == "--without":
    with open(sys.argv[3], encoding="utf-8") as file:
        kept = {case: result for case, result in json.load(file).items()
                if not any(fnmatch.fnmatch(case, pattern) for pattern in sys.argv[2].split())}
    json.dump(kept, sys.stdout)
    sys.exit()
report, expected_file, accept = sys.argv[1], sys.argv[2], "--accept" in sys.argv[3:]
with open(report, encoding="utf-8") as file:
    # One client, or one server, by its name.
    (cases,) = json.load(file).values()
results = {case: [result["behavior"], result["behaviorClose"]] for case, result in cases.items()}
results = dict(sorted(results.items(), key=lambda item: [int(part) for part in re.findall(r"\d+", item[0])]))
if accept:
    with open(expected_file, "w", encoding="utf-8") as file:
        lines = [f"  {json.dumps(case)}: {json.dumps(result)}" for case, result in results.items()]
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
with open(expected_file, encoding="utf-8") as file:
    expected = json.load(file)

differing = [case for case in expected.keys() | results.keys() if expected.get(case) != results.get(case)]
for case in sorted(differing):
    print(f"case {case}: expected {expected.get(case)}, got {results.get(case)}")
count = collections.Counter(behavior for behavior, _ in results.values())
close = collections.Counter(behavior for _, behavior in results.values())
print(
    f"conformance: {len(results)} run, {count['FAILED'] + close['FAILED']} failed, {count['UNIMPLEMENTED']} unimplemented, "
    f"{count['NON-STRICT'] + close['NON-STRICT']} non-strict, {count['INFORMATIONAL']} informational"
)
print(f"{len(results) - len(differing)} passed, {len(differing)} failed")
sys.exit(1 if differing else 0)
