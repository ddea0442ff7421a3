"""The downloads page and the files themselves."""

from django.urls import path, re_path

from exports.views import files, listing, pages

app_name = "exports"

# Only what the path of a published file can be; the rest is not even looked up.
RELEASE = r"^files/(?P<slug>[A-Za-z0-9_-]+)"
VERSION = r"(?P<version>\d{4}-\d\d-\d\d(?:\.\d+)?)"
FILE = r"(?P<path>[A-Za-z0-9._=-]+(?:/[A-Za-z0-9._=-]+)*)"

urlpatterns = [
    path("downloads/", pages.downloads, name="downloads"),
    path("minisign.pub", pages.public_key, name="public_key"),
    re_path(rf"{RELEASE}/index\.json$", listing.index, name="index"),
    re_path(rf"{RELEASE}/feed\.atom$", listing.feed, name="feed"),
    re_path(rf"{RELEASE}/state\.json$", files.state, name="state"),
    re_path(rf"{RELEASE}/latest/{FILE}$", files.latest_file, name="latest_file"),
    re_path(
        rf"^files/(?P<slug>[A-Za-z0-9_-]+)/(?P<version>\d{{4}}-\d\d-\d\d(?:\.\d+)?)/{FILE}$", files.file, name="file"
    ),
]
