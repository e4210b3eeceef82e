"""Speculative decoding: a draft proposes tokens, one step of the model accepts some of them."""

from nvscale.ops import where
from nvscale.unit_types import Ratio, Share

__all__ = ["expected_tokens_per_step", "speculative_speedup", "speculative_work_ratio"]


def expected_tokens_per_step(acceptance: Share, draft_tokens: Ratio) -> Ratio:
    r"""Tokens that a step with speculation gains on average: accepted draft tokens, and one of the model.

    $$E = \frac{1 - a^{g + 1}}{1 - a}$$

    Parameters
    ----------
    acceptance : 1, broadcast
        Probability a that a draft token is accepted.
    draft_tokens : 1, broadcast
        Draft tokens g of a step; 0 for none.

    Returns
    -------
    1, broadcast
        Tokens per step and sequence, from 1 to g + 1.

    Assumptions
    -----------
    Tokens are accepted independently and with one probability; the first one that is refused ends the run. Real drafts are less sure
    of later tokens, so that a fitted over the first of them gives too much.

    References
    ----------
    Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative Decoding", ICML 2023 (arXiv 2211.17192), equation 1.

    Examples
    --------
    Five draft tokens, four of five accepted.

    >>> round(expected_tokens_per_step(0.8, 5.0), 2)
    3.69
    """
    certain = acceptance >= 1.0
    refused = where(certain, 1.0, 1.0 - acceptance)
    return where(certain, draft_tokens + 1.0, (1.0 - acceptance ** (draft_tokens + 1.0)) / refused)


def speculative_speedup(acceptance: Share, draft_tokens: Ratio, draft_cost: Ratio, verify_cost: Ratio = 1.0) -> Ratio:
    r"""Speed-up of decoding by speculation.

    $$\sigma = \frac{1 - a^{g + 1}}{(1 - a)(g\,c + v)}$$

    Parameters
    ----------
    acceptance : 1, broadcast
        Probability a that a draft token is accepted.
    draft_tokens : 1, broadcast
        Draft tokens g of a step.
    draft_cost : 1, broadcast
        Time c of drafting one token, in steps of the model without speculation; 0 for a free draft.
    verify_cost : 1, broadcast
        Time v of a step that checks g + 1 tokens of each sequence, in steps without speculation; 1 while it is bound by memory.

    Returns
    -------
    1, broadcast
        Time per token without over time per token with speculation; below 1 where it does not pay.

    Assumptions
    -----------
    As in `expected_tokens_per_step`; drafting and checking follow one another. Beyond the batch at which products become bound by
    compute, v grows towards g + 1 and nothing is gained.

    References
    ----------
    Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative Decoding", ICML 2023 (arXiv 2211.17192), theorem 3.8,
    at v = 1. Derivation of v: a run takes (g c + v) steps instead of (g c + 1).

    Examples
    --------
    A draft of 2 % of the cost loses a tenth of the gain of a free one.

    >>> [round(speculative_speedup(0.8, 5.0, c), 2) for c in (0.0, 0.02)]
    [3.69, 3.35]
    """
    return expected_tokens_per_step(acceptance, draft_tokens) / (draft_tokens * draft_cost + verify_cost)


def speculative_work_ratio(acceptance: Share, draft_tokens: Ratio, draft_work: Ratio) -> Ratio:
    r"""Work per token with speculation over work per token without.

    $$\omega = \frac{(1 - a)(g\,\hat c + g + 1)}{1 - a^{g + 1}}$$

    Parameters
    ----------
    acceptance : 1, broadcast
        Probability a that a draft token is accepted.
    draft_tokens : 1, broadcast
        Draft tokens g of a step.
    draft_work : 1, broadcast
        Work per token of the draft over that of the model.

    Returns
    -------
    1, broadcast
        Factor on the work, at least 1: refused tokens were computed for nothing.

    Assumptions
    -----------
    As in `expected_tokens_per_step`; every draft token is checked, also behind a refused one.

    References
    ----------
    Leviathan, Kalman, Matias, "Fast Inference from Transformers via Speculative Decoding", ICML 2023 (arXiv 2211.17192), theorem 3.11.

    Examples
    --------
    >>> round(speculative_work_ratio(0.8, 5.0, 0.0), 2)
    1.63
    """
    return (draft_tokens * draft_work + draft_tokens + 1.0) / expected_tokens_per_step(acceptance, draft_tokens)
