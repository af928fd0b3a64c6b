import pytest

from charrnn.nn.padding import padded


@pytest.mark.parametrize(("B", "columns"), [(1, 1), (8, 8), (9, 16), (16, 16), (24, 24), (25, 32), (50, 50), (57, 64)])
def test_padding_is_added_only_where_it_makes_a_product_faster(B, columns):
    assert padded(B) == columns
