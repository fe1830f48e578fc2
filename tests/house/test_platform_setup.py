"""docs/platform-setup.md says what the page for connecting by hand says."""

import pytest
from flask import Flask

from lti_tool.app import ROOT
from lti_tool.lti.connect import by_hand
from lti_tool.ui import pages

DOC = (ROOT / "docs" / "platform-setup.md").read_text()
PRODUCTS = ("moodle", "canvas", "brightspace", "blackboard", "openedx")


@pytest.mark.parametrize("product_id", PRODUCTS)
def test_each_field_is_in_the_document(product_id: str) -> None:
    app = Flask(__name__)
    pages.install(app)
    with app.test_request_context():
        products = {one.id: one for one in by_hand.products("https://YOUR-ADDRESS")}
    assert set(products) == set(PRODUCTS)
    product = products[product_id]
    part = DOC.partition(f"### {product.name}\n")[2].partition("\n### ")[0].replace("`", "")
    assert " > ".join(product.where) in part
    for name, value in product.fields:
        assert f"| {name} | {value.replace(chr(10), '<br>')} |" in part
    for option, value in product.gives:
        assert f"| {option} | {value} |" in part
