"""Tables: what is read, and what is refused."""

import contextlib

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pushforward.core import BadInput
from pushforward.data import DataSpec, open_data


def table(tmp_path, text, **settings):
    (tmp_path / "t.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_data(DataSpec(str(tmp_path / "t.csv"), held_out=0, **settings))[0]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv(tmp_path, mark):
    data = table(tmp_path, "\ufeffa, b,kind\n1,2e1,x\n3,-4.5,y\n\n5,0,x\n".replace(",", mark), target="kind")
    assert data.columns == ("a", "b") and data.classes == ("x", "y") and data.label.tolist() == [0, 1, 0]
    assert torch.allclose(data.row * data.scale + data.centre, torch.tensor([[1, 20], [3, -4.5], [5, 0]]), atol=1e-5)
    assert table(tmp_path, "a,b\n1,2\n3,4\n").label is None


def test_classes_that_are_numbers_are_in_order(tmp_path):
    assert table(tmp_path, "a,k\n1,10\n2,9\n3,9\n", target="k").classes == ("9", "10")


@pytest.mark.parametrize(
    ("text", "target", "said"),
    [
        ("a,b\n1,2\n3,x\n", "", ("Line 3", "'x'", "column 'b'")),
        ("k,a,b\nu,1,2\nv,3,\n", "k", ("Line 3", "a hole in column 'b'")),
        ("a,k,b\n,u,2\n", "k", ("Line 2", "a hole in column 'a'")),
        ("a,b\n1,nan\n", "", ("Line 2", "'nan'", "column 'b'")),
        ("a,b\n1,inf\n", "", ("'inf'",)),
        ("a,b\n1,2,3\n", "", ("Line 2", "3 values", "2 columns")),
        ("a,k\n1, \n", "k", ("Line 2", "no class in column 'k'")),
        ("1,2\n3,4\n", "", ("Line 1", "'1,2'", "header")),
        ("", "", ("Line 1", "header")),
        ("a,b\n", "", ("no rows",)),
        ("a,a\n1,2\n", "", ("'a' twice",)),
        ("a,\n1,2\n", "", ("without a name",)),
        ("height,kind\n1,x\n", "kinds", ("no column 'kinds'", "did you mean 'kind'?")),
        ("k\nx\n", "k", ("no column but the class 'k'",)),
        (b"a,b\n1,\xff\n", "", ("UTF-8",)),
        ("a,b\n1,2\n3,1e400\n", "", ("'1e400'",)),
        ('a,b\n1,"' + "x" * 200_000 + '"\n', "", ("cannot be read", "131072")),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, target, said):
    with pytest.raises(BadInput) as caught:
        table(tmp_path, text, target=target)
    assert all(word in str(caught.value) for word in said)


@given(st.lists(st.text(alphabet='ab,;\n\r"1.5e- \x00é', max_size=30), max_size=6))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_text_is_a_table_or_refused(tmp_path_factory, lines):
    with contextlib.suppress(BadInput):
        table(tmp_path_factory.getbasetemp(), "\n".join(["a,b", *lines]))
