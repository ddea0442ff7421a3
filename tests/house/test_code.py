"""Rules about the code itself. Each failure names the places and says what to do; docs/contributing tells why."""

import ast
import re
from itertools import pairwise

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader

from config.embedded import CHECKOUT
from tests.house.source import (
    APPS,
    body_length,
    called,
    code_files,
    functions,
    length,
    name_of,
    nodes,
    place,
)

# Where a transaction may begin beside services, management commands and benchmarks, and why.
ATOMIC_ELSEWHERE = {
    "accounts/admin/base.py": "reads only; the transaction bounds the time limit of its statements",
    "config/moderators.py": "a service of the project itself: it joins permissions of every app",
}
AUTOMATIC_NAME = re.compile(r"\d{4}_(auto_|alter_|remove_|rename_|delete_|add_\w+_and)|_and_more$")
SIGNALS = re.compile(r"django\.dispatch|(django|allauth)\S*\.signals|from django\S* import .*\bsignals\b")
MIGRATION_NAME = re.compile(r"\d{4}_[a-z][a-z0-9_]+")


def none_but(found, message):
    assert not found, f"{message}\n  " + "\n  ".join(sorted(found))


def test_the_rules_see_the_code():
    """A rule that looks at nothing holds always."""
    assert len(code_files()) > 60
    assert sum(1 for path in code_files() for _ in functions(path)) > 200


def test_functions_are_short():
    long = [
        f"{place(path, node)} {node.name}: {length(node)} lines"
        for path in code_files()
        for node in functions(path)
        if length(node) > 40
    ]
    none_but(long, "A function has at most 40 lines: name a part of it and move it out.")


def test_files_are_short():
    counted = {name_of(path): len(path.read_text().splitlines()) for path in code_files()}
    none_but(
        [f"{name}: {n} lines" for name, n in counted.items() if n > 400], "At most 400 lines a file: split by noun."
    )


def is_view(path, node):
    """A view takes a request first: a function without underscore in views, a method named like one in an API."""
    arguments = [argument.arg for argument in node.args.args if argument.arg not in {"self", "cls"}]
    is_public = not node.name.startswith("_")
    return is_public and arguments[:1] == ["request"] and {"views", "views.py", "api", "api.py"} & set(path.parts)


def test_views_are_thin():
    views = [(path, node) for path in code_files() for node in functions(path) if is_view(path, node)]
    assert len(views) > 12
    thick = [
        f"{place(path, node)} {node.name}: {body_length(node)} lines" for path, node in views if body_length(node) > 15
    ]
    none_but(thick, "The body of a view has at most 15 lines: what it decides belongs into a service or a query.")


def test_templates_are_short():
    counted = {name_of(path): len(path.read_text().splitlines()) for path in (CHECKOUT / "templates").rglob("*.*")}
    assert len(counted) > 20
    long = [f"{name}: {n} lines" for name, n in counted.items() if n > 120]
    none_but(long, "A template has at most 120 lines: move a component to templates/_components.")


def test_nothing_happens_by_signal():
    used = [
        place(path, node)
        for path in code_files()
        for node in nodes(path, ast.ImportFrom, ast.Import)
        if SIGNALS.search(ast.unparse(node))
    ]
    none_but(used, "No signals: call what has to happen from the service that makes it happen.")


def test_no_model_overrides_save():
    overridden = [
        f"{model._meta.label}.{name}"
        for model in own_models()
        for name in ("save", "save_base", "delete", "full_clean")
        if name in vars(model)
    ]
    none_but(overridden, "No save() or delete() of our own: write a service, so that bulk operations obey it too.")


def test_transactions_begin_in_services():
    begun = {
        place(path, node)
        for path in code_files()
        for node in nodes(path, ast.Attribute, ast.Name, ast.ImportFrom)
        if ast.unparse(node) == "transaction.atomic" or ast.unparse(node).endswith("transaction import atomic")
    }
    allowed = re.compile(r"(^|/)(services(\.py|/)|management/)|" + "|".join(map(re.escape, ATOMIC_ELSEWHERE)))
    none_but([name for name in begun if not allowed.search(name)], "Whoever writes owns the transaction: a service.")
    unused = [name for name in ATOMIC_ELSEWHERE if not any(spot.startswith(name) for spot in begun)]
    none_but(unused, "These begin no transaction any more: take them off the list.")


def test_services_are_the_only_ones_to_write():
    """A view, task or query that creates or updates rows has a rule in it that nobody else obeys."""
    writing = {"create", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
    elsewhere = re.compile(r"(^|/)(views|api|queries|forms|selection|tasks)(\.py|/)")
    found = [
        f"{place(path, node)} {called(node)}"
        for path in code_files()
        if elsewhere.search(name_of(path))
        for node in nodes(path, ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr in writing and "objects" in called(node)
    ]
    none_but(found, "Only services write rows.")


def test_tasks_are_sent_when_the_transaction_has_ended():
    """A task may send others as it likes: no transaction is around it."""
    sent = [
        f"{place(path, node)} {called(node)}"
        for path in code_files()
        if path.name != "tasks.py"
        for node in nodes(path, ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr in {"delay", "apply_async", "send_task"}
    ]
    none_but(sent, "Use delay_on_commit: a worker may be faster than the commit.")


def test_times_have_a_zone():
    naive = [
        f"{place(path, node)} {ast.unparse(node)}"
        for path in code_files()
        for node in nodes(path, ast.Call)
        if (called(node).endswith("datetime.now") and not node.args and not node.keywords)
        or called(node).endswith(("datetime.utcnow", "date.today", "datetime.today"))
    ]
    none_but(naive, "Read the clock at the edge with timezone.now() and pass it in.")


def decorators_of(node):
    return {ast.unparse(item.func): item for item in node.decorator_list if isinstance(item, ast.Call)} | {
        ast.unparse(item): item for item in node.decorator_list if not isinstance(item, ast.Call)
    }


def test_tasks_say_how_long_they_may_take():
    tasks = [(p, node) for p in code_files() for node in functions(p) if "shared_task" in decorators_of(node)]
    assert len(tasks) > 5
    limits = {"soft_time_limit", "time_limit"}
    unlimited = [
        f"{place(path, node)} {node.name}"
        for path, node in tasks
        if not limits <= {word.arg for word in getattr(decorators_of(node)["shared_task"], "keywords", ())}
        or not node.name.endswith("_task")
    ]
    none_but(unlimited, "A task ends in _task and states soft_time_limit and time_limit.")


def own_models():
    return [model for app in APPS for model in apps.get_app_config(app).get_models()]


def test_relations_have_a_name_from_the_other_side():
    fields = [field for model in own_models() for field in model._meta.local_fields if field.is_relation]
    assert len(fields) > 10
    unnamed = [str(field) for field in fields if not field.remote_field.related_name]
    none_but(unnamed, "State related_name, or “+” when nobody asks from the other side.")


def test_rows_come_in_no_order_that_nobody_asked_for():
    ordered = [model._meta.label for model in own_models() if model._meta.ordering]
    none_but(ordered, "No Meta.ordering: it makes every query sort. Order where the order matters.")


def first_word_of(label):
    """Return "moderation_" for "ratings.ModerationAction"."""
    return re.sub(r"^\w+\.([A-Z][a-z]+).*", r"\1_", label).lower()


def test_constraints_read_as_sentences_and_are_found_by_table():
    named = {c.name: model._meta.label for model in own_models() for c in model._meta.constraints}
    assert len(named) > 20
    bad = [f"{label}: {name}" for name, label in named.items() if not name.startswith(first_word_of(label))]
    none_but(bad, "A constraint is named <table>_<sentence>.")


@pytest.fixture(scope="module")
def migrations():
    return MigrationLoader(None).disk_migrations


@pytest.mark.parametrize("app", [app for app in APPS if app != "config"])
def test_migrations_are_one_line_and_named_by_hand(migrations, app):
    names = sorted(name for label, name in migrations if label == app)
    assert names[0] == "0001_initial"
    assert [name[:4] for name in names] == [f"{n:04}" for n in range(1, len(names) + 1)], "One migration a number."
    for before, name in pairwise(names):
        own = [dependency for label, dependency in migrations[app, name].dependencies if label == app]
        assert own == [before], (
            f"{app} {name} must depend on {before} and on no other of {app}: rename and rebase yours."
        )
        assert MIGRATION_NAME.fullmatch(name), f"{app} {name}: lower case and underscores."
        assert not AUTOMATIC_NAME.search(name), f"{app} {name}: say what it is for, with --name."


def test_every_model_is_of_an_app_that_has_migrations(migrations):
    labels = {label for label, _ in migrations}
    assert {model._meta.app_label for model in own_models()} <= labels
    assert all(issubclass(model, models.Model) for model in own_models())
