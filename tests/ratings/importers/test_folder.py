"""ratings.importers.folder and its index: what is found, what is refused, and in which words."""

import json
import os
import uuid

import pytest

from ratings.importers.folder import Folder, NoSuchFolder
from ratings.importers.sources import Refusal, SourceImage, StatedMeasures
from ratings.models import AdultClass
from tests.ratings.pictures import picture_bytes

UUID = "0b5e8f63-8f1c-4a43-b8ad-0a8d9a4f9d15"


@pytest.fixture
def folder(tmp_path):
    """A folder with one picture in it, and room beside it."""
    root = tmp_path / "pictures"
    root.mkdir()
    (root / "good.png").write_bytes(picture_bytes())
    return root


def find(root, **options):
    """Return what is found as {name: source} and {name: reason}."""
    sources, refusals = {}, {}
    for found in Folder(root, **options).find_images():
        if isinstance(found, Refusal):
            refusals[found.name] = found.reason
        else:
            sources[found.name] = found
    return sources, refusals


def write_index(folder, *lines):
    index = folder.parent / "index.jsonl"
    index.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return index


def test_it_works(folder):
    sources, refusals = find(folder)

    assert refusals == {}
    assert sources == {"good.png": SourceImage(name="good.png", source_id="good.png", content=folder / "good.png")}


def test_folder_is_read_to_its_depths_in_order_of_names(folder):
    for name in ("b/2.JPG", "b/1.webp", "a/deep/er/0.jpeg", "z.gif"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")

    sources, _ = find(folder)

    assert [source.source_id for source in sources.values()] == [
        "good.png",
        "z.gif",
        "a/deep/er/0.jpeg",
        "b/1.webp",
        "b/2.JPG",
    ]


def test_a_file_that_is_named_by_a_uuid_has_it_for_its_id(folder):
    for name in (f"{UUID}.webp", f"a/{UUID.upper()}.png", f"{UUID}-2.webp", f"{UUID.replace('-', '')}.webp"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    index = write_index(folder, {"file": f"{UUID}-2.webp"}, {"file": f"a/{UUID.upper()}.png", "id": "named otherwise"})

    sources, _ = find(folder, index=index)

    ids = {source.source_id: source.image_id for source in sources.values()}
    assert ids == {
        f"{UUID}.webp": uuid.UUID(UUID),
        f"{UUID}-2.webp": None,
        "named otherwise": None,
        f"{UUID.replace('-', '')}.webp": None,
        "good.png": None,
    }


def test_folder_passes_on_licence_and_adult_class(folder):
    sources, _ = find(folder, licence="MIT", adult_class=AdultClass.SUGGESTIVE)

    assert (sources["good.png"].licence, sources["good.png"].adult_class) == ("MIT", "suggestive")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("notes.txt", "not a picture by its name; pictures end in .png"),
        ("picture", "not a picture by its name"),
        ("index.jsonl", "an index is read only when the import names it"),
        (".hidden.png", "hidden file"),
        (".cache/", "hidden folder, not entered"),
        ("outside.png", "a link that leaves the folder"),
        ("nothing.png", "a link to nothing"),
        ("circle.png", "a link that leads to itself"),
        ("linked/", "a link to a folder, not followed"),
        ("pipe.png", "not a regular file"),
        ("a" * 250 + "/" + "b" * 60 + ".png", "its path is longer than 300 characters"),
        (os.fsdecode(b"caf\xe9.png"), "its name is not UTF-8"),
    ],
)
def test_folder_refuses_and_goes_on(folder, name, reason):
    (folder.parent / "outside.png").write_bytes(picture_bytes(seed=1))
    for file in ("notes.txt", "picture", "index.jsonl", ".hidden.png", os.fsdecode(b"caf\xe9.png")):
        (folder / file).write_bytes(picture_bytes())
    (folder / ".cache").mkdir()
    (folder / ".cache" / "inside.png").write_bytes(picture_bytes())
    (folder / ("a" * 250)).mkdir()
    (folder / ("a" * 250) / ("b" * 60 + ".png")).write_bytes(picture_bytes())
    (folder / "outside.png").symlink_to(folder.parent / "outside.png")
    (folder / "nothing.png").symlink_to(folder / "gone.png")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    (folder / "linked").symlink_to(folder.parent)
    os.mkfifo(folder / "pipe.png")

    sources, refusals = find(folder)

    assert list(sources) == ["good.png"]
    assert len(refusals) == 12
    assert reason in refusals[name]


def test_folder_follows_a_link_to_a_file_inside(folder):
    (folder / "again.png").symlink_to(folder / "good.png")

    sources, refusals = find(folder)

    assert set(sources) == {"good.png", "again.png"}
    assert refusals == {}


def test_folder_refuses_a_folder_that_may_not_be_listed(unprivileged, open_folder):
    (open_folder / "good.png").write_bytes(picture_bytes())
    (open_folder / "closed").mkdir(mode=0o700)
    (open_folder / "good.png").chmod(0o644)
    if os.geteuid() != 0:
        (open_folder / "closed").chmod(0)

    with unprivileged():
        sources, refusals = find(open_folder)

    assert list(sources) == ["good.png"]
    assert refusals == {"closed/": "cannot be listed: Permission denied"}


def test_folder_may_be_empty(folder):
    (folder / "good.png").unlink()

    assert find(folder) == ({}, {})


def test_folder_has_to_be_there(folder):
    with pytest.raises(NoSuchFolder, match=r"missing is not there\."):
        Folder(folder / "missing")
    with pytest.raises(NoSuchFolder, match="is a file, not a folder"):
        Folder(folder / "good.png")
    with pytest.raises(NoSuchFolder, match=r"no\.jsonl is not there\."):
        Folder(folder, index=folder / "no.jsonl")
    with pytest.raises(NoSuchFolder, match="is not a file"):
        Folder(folder, index=folder)


def test_index_gives_every_key_its_place(folder):
    stated_id = uuid.uuid4()
    index = write_index(
        folder,
        {
            "file": "good.png",
            "id": str(stated_id),
            "prompt": "two boats",
            "model": "sdxl",
            "style": "ink",
            "licence": "CC-BY-4.0",
            "source_url": "https://example.org/1",
            "adult_class": "suggestive",
            "sha256": "AB" * 32,
            "bytes": 5,
            "width": 40,
            "height": 30,
            "steps": 30,
            "seed": None,
            "loras": [{"name": "x", "weight": 0.5}],
        },
    )

    sources, refusals = find(folder, index=index)

    assert refusals == {}
    assert list(sources.values()) == [
        SourceImage(
            name="good.png (index, line 1)",
            source_id=str(stated_id),
            content=folder / "good.png",
            has_stated_id=True,
            image_id=stated_id,
            adult_class=AdultClass.SUGGESTIVE,
            licence="CC-BY-4.0",
            source_url="https://example.org/1",
            prompt="two boats",
            model_name="sdxl",
            generation={"style": "ink", "steps": 30, "seed": None, "loras": [{"name": "x", "weight": 0.5}]},
            stated=StatedMeasures(sha256="ab" * 32, byte_count=5, width=40, height=30),
        )
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"file": "good.png", "base_prompt": "p", "style": "ink"}, {"prompt": "p", "model_name": "ink"}),
        ({"file_name": "good.png", "text": "p", "license": "MIT"}, {"prompt": "p", "licence": "MIT"}),
        ({"file": "good.png", "id": 17}, {"source_id": "17", "image_id": None, "has_stated_id": True}),
        ({"file": "good.png"}, {"source_id": "good.png", "has_stated_id": False, "adult_class": "unknown"}),
        ({"file": "./sub/../good.png"}, {"source_id": "good.png"}),
    ],
)
def test_index_understands_other_names_of_keys(folder, line, expected):
    sources, _ = find(folder, index=write_index(folder, line), adult_class=AdultClass.UNKNOWN)

    [source] = sources.values()
    assert {name: getattr(source, name) for name in expected} == expected


def test_index_goes_first_and_the_other_files_follow(folder):
    (folder / "another.png").write_bytes(picture_bytes(seed=1))
    (folder / "b.png").write_bytes(picture_bytes(seed=2))
    index = write_index(folder, b"", {"file": "good.png"}, b"  ", {"file": "another.png"})

    sources, refusals = find(folder, index=index)

    assert list(sources) == ["good.png (index, line 2)", "another.png (index, line 4)", "b.png"]
    assert refusals == {}


def test_index_in_the_folder_is_not_a_picture_that_was_refused(folder):
    (folder / "index.jsonl").write_text('{"file": "good.png"}')

    assert find(folder, index=folder / "index.jsonl")[1] == {}


def test_index_may_start_with_a_byte_order_mark(folder):
    sources, refusals = find(folder, index=write_index(folder, b'\xef\xbb\xbf{"file": "good.png"}'))

    assert (list(sources), refusals) == (["good.png (index, line 1)"], {})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "not JSON"),
        (b"[1, 2]", "not a JSON object"),
        (b'"good.png"', "not a JSON object"),
        (b'{"file": "caf\xe9.png"}', "not UTF-8"),
        (b'{"file": "good.png", "x": "\\ud800"}', "not UTF-8"),
        (b'{"file": "good.png", "x": NaN}', "not JSON: NaN is not a JSON value"),
        (b'{"file": "good.png", "x": 1e999}', "not JSON"),
        (b'{"file": "good.png", "x": ' + b"1" * 5000 + b"}", "not JSON"),
        (b'{"file": "good.png", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
        (b'{"file": "good.png", "x": [{"\\u0000": 1}]}', "the character NUL"),
        (b'{"file": "good.png", "x": "' + b"x" * 1_100_000 + b'"}', "longer than 1 MB"),
        ({"prompt": "no file"}, "names no file"),
        ({"file": ""}, "names no file"),
        ({"file": 5}, "file is not a text"),
        ({"file": "good.png", "id": ["x"]}, "id is not a text"),
        ({"file": "good.png", "id": "x" * 301}, "id is longer than 300 characters"),
        ({"file": "good.png", "prompt": {"text": "x"}}, "prompt is not a text"),
        ({"file": "good.png", "model": "m" * 201}, "model_name is longer than 200 characters"),
        ({"file": "good.png", "licence": "free for all"}, "not an SPDX expression"),
        ({"file": "good.png", "source_url": "javascript:alert(1)"}, "does not start with https://"),
        ({"file": "good.png", "adult_class": "spicy"}, "“spicy” is none of safe, suggestive, adult, unknown"),
        ({"file": "good.png", "sha256": "abc"}, "not 64 hexadecimal digits"),
        ({"file": "good.png", "width": "640"}, "width is not a whole number"),
        ({"file": "good.png", "bytes": -1}, "byte_count is not a whole number"),
    ],
)
def test_index_reports_a_broken_line_by_number_and_goes_on(folder, line, reason):
    (folder / "other.png").write_bytes(picture_bytes(seed=1))
    index = write_index(folder, {"file": "good.png"}, line, {"file": "other.png", "prompt": "after"})

    sources, refusals = find(folder, index=index)

    assert list(refusals) == ["index.jsonl, line 2"]
    assert reason in refusals["index.jsonl, line 2"]
    assert sources["other.png (index, line 3)"].prompt == "after"


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("../outside.png", "points outside the folder"),
        ("sub/../../outside.png", "points outside the folder"),
        ("/etc/hostname", "points outside the folder"),
        (".", "points outside the folder"),
        ("missing.png", "not there"),
        ("good.png/x.png", "cannot be read: Not a directory"),
        ("link.png", "a link that leaves the folder"),
        ("linked/outside.png", "a link that leaves the folder"),
        ("sub", "not a regular file"),
        (".hidden/x.png", "hidden file"),
        ("x" * 300 + ".png", "cannot be read: File name too long"),
    ],
)
def test_index_cannot_point_out_of_the_folder(folder, file, reason):
    (folder.parent / "outside.png").write_bytes(picture_bytes(seed=1))
    (folder / "link.png").symlink_to(folder.parent / "outside.png")
    (folder / "linked").symlink_to(folder.parent)
    (folder / "sub").mkdir()
    (folder / ".hidden").mkdir()
    (folder / ".hidden" / "x.png").write_bytes(picture_bytes())

    sources, refusals = find(folder, index=write_index(folder, {"file": file}, {"file": "good.png"}))

    assert list(sources) == ["good.png (index, line 2)"]
    assert refusals[f"{file} (index, line 1)"] == reason


def test_index_may_name_a_file_once(folder):
    sources, refusals = find(folder, index=write_index(folder, {"file": "good.png"}, {"file": "./good.png"}))

    assert len(sources) == 1
    assert refusals == {"./good.png (index, line 2)": "line 1 of the index names the same file"}


def test_index_may_name_a_picture_with_any_suffix(folder):
    (folder / "picture.dat").write_bytes(picture_bytes())

    sources, refusals = find(folder, index=write_index(folder, {"file": "picture.dat"}))

    assert "picture.dat (index, line 1)" in sources
    assert refusals == {}
