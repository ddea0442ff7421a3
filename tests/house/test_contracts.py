"""Who may import whom."""

import tomllib

from importlinter import configuration
from importlinter.application.use_cases import lint_imports

from config.embedded import CHECKOUT
from tests.house.source import APPS

PYPROJECT = CHECKOUT / "pyproject.toml"


def test_apps_and_the_layers_inside_them_point_one_way():
    configuration.configure()
    assert lint_imports(config_filename=str(PYPROJECT), cache_dir=None, no_logo=True), (
        "Above is the chain of imports. Move what both need down, or pass it in; a new module needs its place in the"
        " layers of pyproject.toml."
    )


def test_the_contracts_cover_every_app_and_leave_nothing_out():
    contracts = tomllib.loads(PYPROJECT.read_text())["tool"]["importlinter"]["contracts"]
    between, inside = (contract for contract in contracts if contract["type"] == "layers")
    assert between["layers"] == list(APPS)
    assert set(inside["containers"]) == set(APPS) - {"config"}
    assert inside["exhaustive"] is True, "A module without a place in the layers could import anything."
    assert set(inside["exhaustive_ignores"]) == {"migrations", "apps"}
    excused = [line for contract in contracts for line in contract.get("ignore_imports", [])]
    assert excused == [], "An exception to a layer is a module in the wrong place."
