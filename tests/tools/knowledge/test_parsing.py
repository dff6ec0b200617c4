"""Every format becomes one text that holds the file's own words; every bad file a typed code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tools.knowledge.files import archive, encrypted, pdf, with_member, word
from tools.knowledge.parsed import HeadingSpan, PageSpan, ParsedDocument
from tools.knowledge.parsing import FileType, ParseError, file_type, parse

CHINESE = "退货政策：七天内可以退货。"


class Reader:
    """Parses bytes as if they had been uploaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, data: bytes, kind: FileType, name: str = "file.x") -> ParsedDocument:
        path = self.folder / "upload"
        path.write_bytes(data)
        return parse(path, kind, name)

    def code(self, data: bytes, kind: FileType) -> str:
        """The code with which the file is refused."""
        with pytest.raises(ParseError) as caught:
            self(data, kind)
        return caught.value.code


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    return Reader(tmp_path)


def test_the_suffix_decides_and_without_one_the_content_type() -> None:
    assert file_type("A.PDF") == "pdf"
    assert file_type("a.htm") == "html"
    assert file_type("a.markdown", "application/pdf") == "md"
    assert file_type("report", "application/pdf; x=y") == "pdf"
    assert file_type("a.exe", "text/plain") is None
    assert file_type("report") is None


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gbk", "gb18030"]
)
def test_chinese_and_english_text_is_read_in_its_encoding(read: Reader, encoding: str) -> None:
    text = f"Returns\n{CHINESE}\n"
    assert read(text.encode(encoding), "txt").text == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("退货", "gbk"),
        ("The café in Zürich serves crème brûlée — “delicious”.", "cp1252"),
        ("專案管理是一門學科，包括計劃、組織、激勵和控制資源。", "big5"),
        ("これは日本語の文章です。漢字も含まれます。", "shift_jis"),
    ],
)
def test_text_without_a_mark_is_read_in_the_likeliest_encoding(read: Reader, text: str, encoding: str) -> None:
    assert read(text.encode(encoding), "txt").text == text


def test_a_stray_byte_in_a_long_text_costs_one_character(read: Reader) -> None:
    assert read(b"word " * 500 + b"\xff" + b" word" * 500, "txt").text.count("\ufffd") == 1


def test_line_ends_and_control_characters_are_made_plain(read: Reader) -> None:
    assert read(b"a\r\nb\rc\x0cd\x00" + b"e" * 300, "txt").text == "a\nb\nc\nd " + "e" * 300


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n" + bytes(200), bytes(range(256)) * 20, pdf("x"), b"PK\x03\x04" + b"a" * 50, bytes(99)]
)
def test_a_binary_file_called_text_is_no_text(read: Reader, data: bytes) -> None:
    for kind in ("txt", "md", "csv", "json", "html"):
        assert read.code(data, kind) == "not_text"


@pytest.mark.parametrize("kind", ["txt", "md", "html", "csv"])
@pytest.mark.parametrize("data", [b"", b" \n\t ", b"\xef\xbb\xbf"])
def test_a_file_without_words_is_empty(read: Reader, kind: FileType, data: bytes) -> None:
    assert read.code(data, kind) == "empty_document"


def test_the_title_is_the_metadata_else_the_first_outermost_heading_else_the_file_name(read: Reader) -> None:
    assert read(b"---\ntitle: Named\n---\n# Heading\n\ntext", "md").title == "Named"
    assert read(b"## Small\n\ntext\n\n# Large *one*\n", "md").title == "Large one"
    assert read(b"plain", "txt", "Annual report.txt").title == "Annual report"


def test_chapters_of_a_pdf_are_not_its_title(read: Reader) -> None:
    one = pdf("Whole", "Part", outline=[("Whole", 0)])
    assert read(one, "pdf", "plan.pdf").title == "Whole"
    two = pdf("One", "Two", outline=[("One", 0), ("Two", 1)])
    assert read(two, "pdf", "plan.pdf").title == "plan"


def test_markdown_stays_its_source_and_headings_point_into_it(read: Reader) -> None:
    source = "# One\n\nText with **bold**.\n\n```\n# no heading\n```\n\nTwo\n===\n\n### `three` *x*\n"
    document = read(source.encode(), "md")
    assert document.text == source
    lines = [(document.text[h.start : h.end], h.level, h.title) for h in document.headings]
    assert lines == [("# One", 1, "One"), ("Two\n===", 1, "Two"), ("### `three` *x*", 3, "three x")]


def test_front_matter_gives_date_and_author_and_leaves_the_text(read: Reader) -> None:
    document = read("---\ndate: 2024-05-01\nauthor: 李雷\ntags: [a]\n---\n\nBody.\n".encode(), "md")
    assert document.text == "Body.\n"
    assert document.metadata == {"date": "2024-05-01", "author": "李雷"}


def test_a_rule_at_the_top_is_no_front_matter(read: Reader) -> None:
    source = "---\nJust text between rules.\n---\n"
    assert read(source.encode(), "md").text == source


def test_a_date_that_is_no_date_is_left_out(read: Reader) -> None:
    assert read(b"---\ndate: last spring\n---\nBody.\n", "md").metadata == {}


def test_html_reads_as_it_is_seen(read: Reader) -> None:
    page = """<!doctype html><html><head><title> A &amp; B </title><meta name=author content=Ann>
    <meta property="article:published_time" content="2024-05-01T10:00:00Z"><style>p{}</style></head>
    <body><nav>menu</nav><h1>Head <em>ing</em></h1><p>One <b>bold</b>
      line<br>next</p><ul><li>x<li>y</ul><script>evil()</script>
    <p hidden>secret</p><div style="display: none">secret</div><table><tr><th>k<th>v<tr><td>1<td>2</table>
    <pre>a\n  b</pre></body></html>"""
    document = read(page.encode(), "html")
    assert document.title == "A & B"
    assert document.text == "Head ing\n\nOne bold line\nnext\nx\ny\nk | v\n1 | 2\n\na\n  b"
    assert document.headings == [HeadingSpan(0, 8, 1, "Head ing")]
    assert document.metadata == {"date": "2024-05-01", "author": "Ann"}


def test_html_is_read_in_the_encoding_it_declares(read: Reader) -> None:
    page = "<meta charset=big5><p>退貨</p>".encode("big5")
    assert read(page, "html").text == "退貨"


def test_a_pdf_keeps_its_pages(read: Reader) -> None:
    document = read(pdf("First page.\nSecond line.", "", "Third page."), "pdf", "manual.pdf")
    assert document.title == "manual"
    assert [page.number for page in document.pages] == [1, 2, 3]
    words = [document.text[page.start : page.end] for page in document.pages]
    assert words == ["First page.\nSecond line.", "", "Third page."]


def test_a_pdfs_outline_gives_headings_where_their_words_stand(read: Reader) -> None:
    data = pdf("Intro\nText.", "Chapter One\nMore.", title="Manual", outline=[("Chapter One", 1), ("Nowhere", 0)])
    document = read(data, "pdf")
    assert document.title == "Manual"
    assert document.metadata["date"] == "2024-05-01"
    (heading,) = document.headings
    assert document.text[heading.start : heading.end] == "Chapter One"
    assert document.pages[1].start == heading.start


def test_a_title_that_only_names_the_program_is_none(read: Reader) -> None:
    assert read(pdf("Text.", title="Microsoft Word - draft.doc"), "pdf", "plan.pdf").title == "plan"


def test_an_encrypted_pdf_is_named_as_such(read: Reader) -> None:
    assert read.code(encrypted(pdf("Secret."), "password"), "pdf") == "encrypted_pdf"


def test_a_pdf_protected_only_against_editing_is_read(read: Reader) -> None:
    assert read(encrypted(pdf("Open."), ""), "pdf").text == "Open."


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_pdf_is_broken(read: Reader, share: float) -> None:
    data = pdf(*["Some text of the page."] * 20)
    assert read.code(data[: int(len(data) * share)], "pdf") == "broken_file"


@pytest.mark.parametrize("data", [b"", b"no pdf", b"%PDF-1.4\nstartxref\n0\n%%EOF", b"%PDF-1.4 startxref"])
def test_what_is_no_pdf_is_broken(read: Reader, data: bytes) -> None:
    assert read.code(data, "pdf") == "broken_file"


def test_a_pdf_of_pictures_is_empty(read: Reader) -> None:
    assert read.code(pdf("", ""), "pdf") == "empty_document"


def test_one_unreadable_page_does_not_cost_the_others_and_is_named(read: Reader) -> None:
    data = pdf("First.", "Second.", "Third.")
    stream = data.index(b"stream\n", data.index(b"7 0 obj")) + len(b"stream\n")
    document = read(data[:stream] + bytes(8) + data[stream + 8 :], "pdf")
    assert document.text == "First.\n\nThird."
    assert [page.number for page in document.pages] == [1, 2, 3]
    assert document.metadata["unreadable_pages"] == "2"


def test_a_word_document_reads_in_the_order_of_its_body(read: Reader) -> None:
    document = read(word("Pump manual"), "docx")
    assert document.title == "Pump manual"
    assert document.text == (
        "Warranty\n\nThe pump is covered for two years.\n\nExceptions\nSeals\nFilters\n\nPart | Price\non request"
    )
    assert [(h.title, h.level) for h in document.headings] == [("Warranty", 1), ("Exceptions", 2)]
    assert all(document.text[h.start : h.end] == h.title for h in document.headings)


@pytest.mark.parametrize("content", [b"0" * (30 << 20), b"0" * (300 << 20)])
def test_a_zip_bomb_is_refused_before_it_unpacks(read: Reader, content: bytes) -> None:
    assert read.code(with_member(word(), "word/media/x.bin", content), "docx") == "archive_too_large"


def test_an_archive_of_too_many_members_is_refused(read: Reader) -> None:
    assert read.code(archive({f"{n}.xml": b"" for n in range(10_001)}), "docx") == "archive_too_large"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_declaration_in_word_xml_is_refused(read: Reader, encoding: str) -> None:
    bomb = (
        f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
    )
    assert read.code(with_member(word(), "word/document.xml", bomb.encode(encoding)), "docx") == "broken_file"


@pytest.mark.parametrize(
    "data", [b"", b"PK\x03\x04 cut", word()[:2000], archive({"a.txt": b"x"}), b"\xd0\xcf\x11\xe0" * 9]
)
def test_what_is_no_word_document_is_broken(read: Reader, data: bytes) -> None:
    assert read.code(data, "docx") == "broken_file"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_rows_read_on_their_own(read: Reader, separator: str) -> None:
    rows = [
        ["product", "价格", "note"],
        ["Pump", '"1,200"' if separator == "," else "1,200", ""],
        ["滤芯", "35", '"a\nb"'],
    ]
    document = read("\n".join(separator.join(row) for row in rows).encode("gbk"), "csv")
    assert document.text == "product: Pump; 价格: 1,200\n\nproduct: 滤芯; 价格: 35; note: a b"


def test_csv_without_a_header_has_values_alone(read: Reader) -> None:
    assert read(b"1,a\n2,b\n", "csv").text == "1; a\n\n2; b"


def test_json_records_have_a_line_for_every_value_with_its_path(read: Reader) -> None:
    source = '[{"name": "泵", "price": 1.10, "tags": ["a", "b"], "gone": null, "ok": true}, {"at": [{"x": "y"}]}]'
    assert read(source.encode(), "json").text == "name: 泵\nprice: 1.10\ntags: a, b\nok: true\n\nat.1.x: y"


def test_json_numbers_stay_as_they_are_written(read: Reader) -> None:
    assert read(b'{"id": 12345678901234567890123, "x": 1e999}', "json").text == "id: 12345678901234567890123\nx: 1e999"


def test_json_lines_are_a_list(read: Reader) -> None:
    assert read(b'{"a": "x"}\n{"a": "y"}\n', "json").text == "a: x\n\na: y"


def test_lone_surrogates_become_replacement_characters(read: Reader) -> None:
    assert read(rb'{"a": "x\ud800y"}', "json").text == "a: x\ufffdy"


@pytest.mark.parametrize("data", [b"{", b"[" * 100_000, b"nonsense", b'{"a":' * 300 + b"1" + b"}" * 300])
def test_what_is_no_json_is_broken(read: Reader, data: bytes) -> None:
    assert read.code(data, "json") == "broken_file"


def test_the_text_is_bounded(read: Reader) -> None:
    assert read.code(b"word " * 4_100_000, "txt") == "too_large"
    assert read.code(b"a,b\n" + (b"x" * 7_000_000 + b",y\n") * 3, "csv") == "too_large"


def test_pages_of_other_formats_are_none(read: Reader) -> None:
    assert read(b"text", "txt").pages == []
    assert read(pdf("x"), "pdf").pages == [PageSpan(1, 0, 1)]
