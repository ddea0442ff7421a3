"""The rules of releases: build, publish, verify, and recover from what a killed build left behind."""

from exports.services.build import Progress, ReleaseFailed, build_release
from exports.services.lock import ReleaseInProgress
from exports.services.retention import releases_to_retire, retire_release
from exports.services.verify import ReleaseNotVerified, verify_release

__all__ = [
    "Progress",
    "ReleaseFailed",
    "ReleaseInProgress",
    "ReleaseNotVerified",
    "build_release",
    "releases_to_retire",
    "retire_release",
    "verify_release",
]
