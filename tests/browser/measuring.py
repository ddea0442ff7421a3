"""What a page is measured by: the size of its targets, and what axe finds."""

from axe_playwright_python.sync_playwright import Axe

# 44 px by our own rule; WCAG asks for 24. Words in a sentence are as large as the sentence.
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, summary, label.cell, input:not([type=hidden])')]
    .filter(one => one.checkVisibility() && !one.closest('p, td, h3, .field-help, .visually-hidden, .cell .face'))
    .filter(one => !one.matches('input') || !one.closest('label'))
    .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
    .filter(([, box]) => box.height < 43.5 || box.width < 43.5)
    .map(([html, box]) => `${html} ${box.width} x ${box.height}`)"""
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("cat.color",)


def axe_findings(page, rules=RULES):
    """Return what axe objects to: the name of the rule, and the elements."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": list(rules)}})
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found.response["violations"]]
