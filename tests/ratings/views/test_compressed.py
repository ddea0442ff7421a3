"""The pages that ask are sent small: they are opened on the way, and most of each is the same words as before."""

import gzip

import pytest


@pytest.mark.parametrize("path", ["/rate/", "/compare/"])
def test_the_page_is_compressed_for_who_reads_that(client, dataset, path):
    as_it_is = client.get(path)
    assert "Content-Encoding" not in as_it_is

    small = client.get(path, headers={"accept-encoding": "gzip"})

    assert small["Content-Encoding"] == "gzip"
    assert len(small.content) < len(as_it_is.content) / 2
    assert b'name="lease"' in gzip.decompress(small.content)
