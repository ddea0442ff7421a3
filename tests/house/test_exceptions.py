"""Every refusal that can leave an operation of the API has a status; none becomes a 500."""

import ast
import importlib
import inspect

import pytest
from django.urls import get_resolver
from rest_framework.views import APIView

from config.api_errors import ERRORS
from config.embedded import CHECKOUT
from tests.house.source import code_files, name_of, nodes, tree_of
from tests.house.walk import patterns

AUTHENTICATION = CHECKOUT / "accounts" / "authentication.py"


def asked_by_the_api():
    """Return the modules of ours that operations of the API import from: what they call, they can get."""
    api = [path for path in code_files() if "api" in path.relative_to(CHECKOUT).parts] + [AUTHENTICATION]
    own = {name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in code_files()}
    imported = {node.module for path in api for node in nodes(path, ast.ImportFrom) if node.module}
    return sorted(imported & own)


def exceptions_of(name):
    """Return the exceptions that leave a module: one with an underscore is caught where it is raised."""
    module = importlib.import_module(name)
    found = [kind for _, kind in inspect.getmembers(module, inspect.isclass) if issubclass(kind, Exception)]
    return [kind for kind in found if kind.__module__ == name and not kind.__name__.startswith("_")]


def refusals_of(name):
    """Return those that are raised, without those that only others are derived from."""
    own = exceptions_of(name)
    return [kind for kind in own if not any(other is not kind and issubclass(other, kind) for other in own)]


def bases_of(name):
    refusals = refusals_of(name)
    return [kind for kind in exceptions_of(name) if kind not in refusals]


def test_the_rules_see_the_modules():
    assert {"ratings.selection", "ratings.services.rating", "accounts.access"} <= set(asked_by_the_api())


def test_every_refusal_that_an_operation_can_get_has_a_status():
    kinds = {kind for name in asked_by_the_api() for kind in refusals_of(name)}
    missing = [f"{kind.__module__}.{kind.__name__}" for kind in kinds - ERRORS.keys()]
    assert not missing, f"Give these a row in config/api_errors.ERRORS: {sorted(missing)}"


def test_nobody_raises_what_only_others_are_derived_from():
    """The table is asked for the exact kind, so the common base would be a 500."""
    bases = {kind.__name__ for name in asked_by_the_api() for kind in bases_of(name)}
    assert bases
    raised = [
        f"{name_of(path)}:{node.lineno}"
        for path in code_files()
        for node in nodes(path, ast.Raise)
        if node.exc is not None and ast.unparse(node.exc).split("(")[0].split(".")[-1] in bases
    ]
    assert not raised, f"Raise the exception that says what is so: {raised}"


def test_every_row_is_about_something_that_is_still_raised():
    text = "\n".join(ast.unparse(tree_of(path)) for path in code_files())
    own = [kind for kind in ERRORS if not kind.__module__.startswith(("django", "rest_framework"))]
    unused = [kind.__name__ for kind in own if f"raise {kind.__name__}(" not in text]
    assert not unused, f"Nobody raises these any more: {unused}"


def api_views():
    views = {}
    for pattern in patterns(get_resolver().url_patterns):
        view = getattr(pattern.callback, "cls", None)
        if view is not None and issubclass(view, APIView) and not view.__module__.startswith("drf_spectacular"):
            views[view.__name__] = view
    return views


def test_the_rules_see_the_operations():
    assert len(api_views()) >= 2


@pytest.mark.parametrize("name", sorted(api_views()))
def test_every_operation_names_who_may(name):
    named = vars(api_views()[name]).get("permission_classes")
    assert named, f"{name} must state permission_classes itself: the default of the framework lets everybody in."
