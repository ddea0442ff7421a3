"""Static files under names that change with their content, modules included."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedModules(CompressedManifestStaticFilesStorage):
    """Imports between ES modules are rewritten too, so that a page never mixes modules of two versions."""

    support_js_module_import_aggregation = True
