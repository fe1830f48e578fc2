"""Packs made from real records: whole, true to them, and never half."""

import json

from flask import Flask

from lti_tool.core.database import Database
from lti_tool.evidence.proof.check import check
from tests.factories.packs import files, made, staffed


def test_a_pack_for_managers_holds_and_names(app: Flask, database: Database) -> None:
    data = made(app, staffed(database))
    report = check(data)
    assert (report.verdict, list(report.findings)) == ("origin-not-shown", [])
    found = files(data)
    print({name: len(content) for name, content in found.items()})
    print(found["people.csv"].decode())
    print(found["counts.csv"].decode())
    print(json.loads(found["manifest.json"]))
    open("/tmp/work/packs/managers.zip", "wb").write(data)
    open("/tmp/work/packs/report.pdf", "wb").write(found["report.pdf"])
