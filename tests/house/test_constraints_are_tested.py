"""House rule 3: the database refuses first, and a test breaks each constraint to see it do so."""

import re

from django.apps import apps

from config.embedded import CHECKOUT

OUR_APPS = ("accounts", "kudos", "ratings", "exports")


def test_every_constraint_is_named_by_a_test():
    models = [model for app in OUR_APPS for model in apps.get_app_config(app).get_models()]
    constraints = {c.name: model._meta.label for model in models for c in model._meta.constraints}
    assert len(constraints) > 30, "A rule that looks at nothing holds always."
    files = (CHECKOUT / "tests").rglob("*.py")
    words = {word for path in files for word in re.findall(r"\w+", path.read_text())}
    untested = sorted(f"{label}: {name}" for name, label in constraints.items() if name not in words)
    assert not untested, "Break these in tests/<app>/test_constraints.py:\n  " + "\n  ".join(untested)
