"""Prints the numbers of passed and of failed tests in a JUnit report of nextest.

Usage: count_tests.py REPORT
"""

import sys
import xml.etree.ElementTree


def main() -> None:
    report = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
    tests = int(report.attrib["tests"])
    failed = int(report.attrib["failures"]) + int(report.attrib["errors"])
    print(tests - failed, failed)


if __name__ == "__main__":
    main()
