"""Files that repeat what the code says must say the same."""

import ast
import re

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from config.embedded import CHECKOUT
from config.settings.secrets import NAMES
from tests.house.source import called, nodes

SETTINGS = CHECKOUT / "config" / "settings"
OPERATIONS = CHECKOUT / "docs" / "operations.md"
# Read by who is named, not by the settings.
ELSEWHERE = {"PROMETHEUS_MULTIPROC_DIR": "prometheus-client"}
# Set by the tests and by the supervisor for the processes they start; nobody else sets them.
INTERNAL = {"KUDOSCOPE_TEST_CHILD", "KUDOSCOPE_PORT", "PYTEST_XDIST_WORKER"}
READS = re.compile(r"env\.\w+|os\.environ\.get")
PIN = re.compile(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==[0-9][0-9A-Za-z.]*\s+# \w.{4,}")


def variables_read():
    """Return the environment variables that the settings read."""
    calls = [node for path in SETTINGS.glob("*.py") if path.name != "testing.py" for node in nodes(path, ast.Call)]
    names = {
        node.args[0].value for node in calls if READS.fullmatch(called(node)) and isinstance(node.args[0], ast.Constant)
    }
    return (names | set(NAMES)) - INTERNAL


def variables_documented():
    """Return the variables named in the first column of the tables of docs/operations.md."""
    first_columns = re.findall(r"^\| (`[^|]+) \|", OPERATIONS.read_text(), re.MULTILINE)
    return {name for column in first_columns for name in re.findall(r"`([A-Z][A-Z_]{3,})`", column)}


def test_every_setting_is_documented():
    assert len(variables_read()) > 15
    missing = variables_read() - variables_documented()
    assert not missing, f"Write into docs/operations.md what these do: {sorted(missing)}"


def test_every_documented_setting_is_read():
    unknown = variables_documented() - variables_read() - ELSEWHERE.keys()
    assert not unknown, f"Nothing reads these any more; take them out of docs/operations.md: {sorted(unknown)}"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_and_says_why(name):
    lines = (CHECKOUT / name).read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-r "))]
    assert len(wanted) > 10
    bad = [line for line in wanted if not PIN.fullmatch(line)]
    assert not bad, f"Write `name==version  # why, and where it is used`: {bad}"
    names = [re.split(r"[=\[]", line)[0].lower() for line in wanted]
    assert len(set(names)) == len(names), "Each once."


def test_the_openapi_document_is_what_the_code_says():
    document = SchemaGenerator().get_schema(request=None, public=True)
    written = (CHECKOUT / "docs" / "openapi.yaml").read_bytes()
    assert written == OpenApiYamlRenderer().render(document, renderer_context={}), "Run `make schema`."


def test_links_between_documents_lead_somewhere():
    documents = [CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")]
    broken = [
        f"{path.name}: {target}"
        for path in documents
        if path.exists()
        for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text())
        if not (path.parent / target).exists()
    ]
    assert not broken, f"These links lead nowhere: {broken}"
