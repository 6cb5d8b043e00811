"""Writing what a finding suggests."""

from lingsou.catalog.field_values import value_of, with_value
from lingsou.catalog.suggestions import Proposal
from lingsou.core.types import Product
from lingsou.quality.check import Edit, Finding


def with_edit(product: Product, edit: Edit) -> Product:
    """The product with the edit's value in place of its own.

    Raises:
        ProductError: products have no such field, or the value does not fit it.
    """
    return with_value(product, edit.field, edit.value)


def rewritten(product: Product, field: str, text: str, better: str | None) -> Edit | None:
    """The edit that writes `better`; none where there is nothing better, or `text` is not all that the field holds."""
    if not better or better.isspace() or field in ("id", "attributes") or value_of(product, field) != text:
        return None
    return Edit(field=field, value=better)


def proposal_of(finding: Finding, product: Product) -> Proposal | None:
    """The finding's edit beside what the product has now; none where there is nothing to write.

    Raises:
        ProductError: products have no such field, or the value does not fit it.
    """
    if finding.edit is None:
        return None
    field = finding.edit.field
    old, new = value_of(product, field), value_of(with_edit(product, finding.edit), field)
    if old == new:
        return None
    return Proposal(
        product_id=product.id,
        field=field,
        old=old,
        new=new,
        check=finding.check,
        severity=finding.severity,
        problem=finding.problem,
        evidence=finding.evidence,
        confidence=finding.confidence,
    )
