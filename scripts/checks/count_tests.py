"""Reads a JUnit report of nextest.

Prints the numbers of passed and of failed tests in one line, then the name of each failed test.
Usage: count_tests.py REPORT
"""

import sys
import xml.etree.ElementTree


def main() -> None:
    root = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
    cases = list(root.iter("testcase"))
    failed = [
        case for case in cases if case.find("failure") is not None or case.find("error") is not None
    ]
    print(len(cases) - len(failed), len(failed))
    for case in failed:
        print(case.get("classname"), case.get("name"))


if __name__ == "__main__":
    main()
