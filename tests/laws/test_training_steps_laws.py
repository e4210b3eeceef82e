"""Laws of training steps: bounds, limits, sums, monotonicity, and agreement with the formulas of other topics."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import attention, collectives, facilities, memory, overheads, training_steps

counts = st.integers(1, 20_000).map(float)
lengths = st.integers(16, 100_000).map(float)
rates = st.floats(1e12, 1e16)
element_rates = st.floats(1e10, 1e14)
half_lengths = st.floats(0.0, 2000.0)
tile_areas = st.floats(0.0, 1e7)
sizes = st.floats(1.0, 1e12)
bandwidths = st.floats(1e9, 1e12)
seconds = st.floats(1e-9, 1e3)
shares = st.floats(0.0, 1.0)
positive = st.floats(0.05, 4.0)
product = st.tuples(lengths, lengths, lengths, rates, half_lengths, tile_areas, element_rates)

# ---------------------------------------------------------------- products


@given(seconds, seconds)
def test_the_fourth_power_sum_is_the_smooth_maximum_of_two(a, b):
    together = training_steps.fourth_power_sum(a, b)
    assert together == pytest.approx(overheads.smooth_maximum([a, b], 4.0), rel=1e-12)
    assert max(a, b) * (1.0 - 1e-12) <= together <= 2.0**0.25 * max(a, b) * (1.0 + 1e-12)
    assert together == training_steps.fourth_power_sum(b, a)


@given(seconds)
def test_beside_nothing_a_time_stays_as_it_is(a):
    assert training_steps.fourth_power_sum(a, 0.0) == pytest.approx(a, rel=1e-12)
    assert training_steps.fourth_power_sum(0.0, 0.0) == 0.0


@given(product)
def test_a_product_takes_at_least_its_work_and_its_traffic(shape):
    m, k, n, rate, _, _, element_rate = shape
    time = training_steps.forward_product_time(*shape)
    assert time >= 2.0 * m * k * n / rate * (1.0 - 1e-12)
    assert time >= memory.compulsory_matmul_traffic(m, n, k, 1.0) / element_rate * (1.0 - 1e-12)


@given(lengths, lengths, rates)
def test_at_the_half_length_half_of_the_rate_is_reached(m, n, rate):
    half = 300.0
    time = training_steps.forward_product_time(m, half, n, rate, half, 0.0, float("inf"))
    assert time == pytest.approx(2.0 * (2.0 * m * half * n / rate), rel=1e-9)


@given(product, st.floats(1.01, 10.0))
def test_faster_machines_take_no_longer(shape, faster):
    m, k, n, rate, half_length, tile_area, element_rate = shape
    for formula in (training_steps.forward_product_time, training_steps.backward_product_time):
        time = formula(*shape)
        assert formula(m, k, n, rate * faster, half_length, tile_area, element_rate) <= time * (1.0 + 1e-12)
        assert formula(m, k, n, rate, half_length, tile_area, element_rate * faster) <= time * (1.0 + 1e-12)
        both = formula(m, k, n, rate * faster, half_length, tile_area, element_rate * faster)
        assert both == pytest.approx(time / faster, rel=1e-9)


@given(product)
def test_the_backward_pass_is_two_forward_products_with_turned_shapes(shape):
    m, k, n, *machine = shape
    activations = training_steps.forward_product_time(m, n, k, *machine)
    weights = training_steps.forward_product_time(k, m, n, *machine)
    assert training_steps.backward_product_time(*shape) == pytest.approx(activations + weights, rel=1e-12)
    assert training_steps.backward_product_time(*shape, 1.0) == pytest.approx(activations, rel=1e-12)


@given(product, shares)
def test_freezing_saves_in_proportion(shape, frozen):
    none, whole = (training_steps.backward_product_time(*shape, share) for share in (0.0, 1.0))
    part = training_steps.backward_product_time(*shape, frozen)
    assert part == pytest.approx(none + frozen * (whole - none), rel=1e-9)


@given(product)
def test_arrays_and_floats_agree(shape):
    arrays = [numpy.array([x, x]) for x in shape]
    assert training_steps.forward_product_time(*arrays) == pytest.approx([training_steps.forward_product_time(*shape)] * 2, rel=1e-12)
    assert training_steps.backward_product_time(*arrays) == pytest.approx([training_steps.backward_product_time(*shape)] * 2, rel=1e-12)


@given(counts, counts)
def test_scored_pairs_are_those_of_windowed_attention(sequence, window):
    pairs = training_steps.scored_pairs(sequence, window)
    assert pairs == pytest.approx(attention.windowed_attention_flop(1.0, 1.0, sequence, 1.0, window) / 4.0, rel=1e-12)
    assert 0.0 < pairs <= sequence * sequence / 2.0


@given(st.integers(1, 200), st.integers(1, 300))
def test_scored_pairs_count_half_of_the_diagonal(sequence, window):
    exact = sum(min(query, window) for query in range(1, sequence + 1))
    pairs = training_steps.scored_pairs(float(sequence), float(window))
    assert pairs == pytest.approx(exact - 0.5 * min(sequence, window))


# ---------------------------------------------------------------- exchanges


@given(sizes, counts, bandwidths)
def test_a_ring_moves_what_the_collectives_move(size, ranks, bandwidth):
    sent = training_steps.ring_size(size, ranks)
    assert 0.0 <= sent < size
    assert sent / bandwidth == pytest.approx(collectives.ring_all_gather_time(size, ranks, bandwidth, 0.0), rel=1e-12)
    both = collectives.ring_all_reduce_time(size, ranks, bandwidth, 0.0)
    assert 2.0 * sent / bandwidth == pytest.approx(both, rel=1e-12)


@given(sizes, counts, counts, bandwidths, bandwidths, positive, st.floats(0.0, 1e-3))
def test_two_tiers_lie_between_the_slower_one_and_their_sum(size, inside, outside, near, far, buckets, hop):
    time = training_steps.two_tier_exchange_time(size, inside, outside, near, far, buckets, hop)
    one = training_steps.two_tier_exchange_time(size, inside, 1.0, near, far, buckets, hop)
    assert one == pytest.approx(training_steps.ring_size(size, inside) / near, rel=1e-12)
    between = training_steps.ring_size(size, outside) / (inside * far) + buckets * (outside - 1.0) * hop
    assert max(one, between) <= time * (1.0 + 1e-12) <= (one + between) * (1.0 + 1e-9)


@given(sizes, counts, bandwidths, bandwidths)
def test_one_rank_per_domain_is_a_ring_between_domains(size, outside, near, far):
    time = training_steps.two_tier_exchange_time(size, 1.0, outside, near, far, 1.0, 0.0)
    assert time == pytest.approx(collectives.ring_all_gather_time(size, outside, far, 0.0), rel=1e-12)
    assert training_steps.two_tier_exchange_time(size, 1.0, 1.0, near, far, 5.0, 1.0) == 0.0


@given(sizes, counts, counts, bandwidths, bandwidths, st.floats(0.0, 1e-3))
def test_two_tiers_in_a_pipeline_are_never_slower_than_one_after_the_other(size, inside, outside, near, far, hop):
    time = training_steps.two_tier_exchange_time(size, inside, outside, near, far, 1.0, hop)
    in_turn = collectives.hierarchical_all_gather_time(
        size,
        inner_participants=inside,
        outer_participants=outside,
        inner_bandwidth=near,
        outer_bandwidth=far,
        inner_latency=0.0,
        outer_latency=hop,
    )
    assert in_turn / 2.0 * (1.0 - 1e-9) <= time <= in_turn * (1.0 + 1e-9)


@given(seconds, seconds, st.floats(1.0, 5.0))
def test_exposed_and_hidden_add_up_and_more_work_hides_more(time, hiding, more):
    exposed = training_steps.exposed_time(time, hiding)
    assert 0.0 <= exposed <= time
    assert hiding + exposed == pytest.approx(max(time, hiding), rel=1e-12)
    assert training_steps.exposed_time(time, hiding * more) <= exposed
    assert training_steps.exposed_time(time, 0.0) == time


@given(counts, counts, counts)
def test_interleaving_hides_behind_one_to_all_stages(micro_batches, stages, chunks):
    hiding = training_steps.hiding_micro_batches(micro_batches, stages, chunks)
    assert 1.0 <= hiding <= min(micro_batches, stages)
    assert training_steps.hiding_micro_batches(micro_batches, stages, 1.0) == 1.0
    assert training_steps.hiding_micro_batches(micro_batches, stages, chunks + 1.0) >= hiding * (1.0 - 1e-12)
    assert training_steps.hiding_micro_batches(1.0, stages, chunks) == 1.0


# ---------------------------------------------------------------- pipeline


@given(counts, counts, counts)
def test_the_largest_stage_holds_its_share_and_less_than_a_layer_per_chunk_more(layers, stages, chunks):
    slots = training_steps.slots_of_a_stage(layers, stages, chunks)
    assert layers / stages * (1.0 - 1e-12) <= slots < layers / stages + chunks * (1.0 + 1e-9)
    assert training_steps.slots_of_a_stage(layers * stages * chunks, stages, chunks) == pytest.approx(layers * chunks)


@given(counts, counts, counts, seconds)
def test_equal_stages_lose_the_bubble(micro_batches, stages, chunks, time):
    bubble = training_steps.pipeline_bubble(stages, micro_batches, chunks)
    whole = training_steps.pipeline_time(micro_batches, time, time, stages, chunks)
    assert whole == pytest.approx(micro_batches * time * (1.0 + bubble), rel=1e-12)


@given(counts, counts, counts, seconds, st.floats(1.0, 3.0))
def test_pipeline_time_is_the_slowest_stage_and_the_bubble(micro_batches, stages, chunks, mean, slower):
    whole = training_steps.pipeline_time(micro_batches, mean * slower, mean, stages, chunks)
    bubble = training_steps.bubble_time(stages, chunks, mean)
    assert whole == pytest.approx(micro_batches * mean * slower + bubble, rel=1e-12)
    assert training_steps.bubble_time(1.0, chunks, mean) == 0.0


@given(st.integers(1, 12), st.integers(1, 12), seconds, seconds)
def test_pipeline_time_is_that_of_a_simulated_pipeline_of_equal_stages(stages, micro_batches, forward, backward):
    """GPipe, step by step: each stage starts when its input is there and it is free."""
    ends = [0.0] * stages
    for _ in range(micro_batches):
        ready = 0.0
        for stage in range(stages):
            ends[stage] = ready = max(ready, ends[stage]) + forward
    free = [ends[-1]] * stages
    for _ in range(micro_batches):
        ready = 0.0
        for stage in range(stages):
            free[stage] = ready = max(ready, free[stage]) + backward
    time = training_steps.pipeline_time(float(micro_batches), forward + backward, forward + backward, float(stages), 1.0)
    assert time == pytest.approx(free[-1], rel=1e-9)


@given(seconds, seconds, shares)
def test_zero_bubble_is_smaller_and_gone_when_weights_take_as_long_as_the_rest(forward, backward, share):
    weights = share * (forward + backward)
    ratio = training_steps.zero_bubble_ratio(forward, backward, weights)
    assert -1e-12 <= ratio <= 1.0
    assert ratio == pytest.approx((1.0 - share) / (1.0 + share), abs=1e-12)


# ---------------------------------------------------------------- traffic


@given(counts, counts, positive)
def test_traffic_grows_with_what_it_passes_over(width, more, element_size):
    for formula in (training_steps.residual_pass_size, training_steps.attention_pass_size, training_steps.permutation_pass_size):
        assert formula(width + more, element_size) == pytest.approx(formula(width, element_size) + formula(more, element_size))
    gated, plain = (training_steps.activation_pass_size(width, matrices, element_size) for matrices in (3.0, 2.0))
    assert gated - plain == pytest.approx(width * element_size)


@given(counts, positive, shares)
def test_a_mask_adds_its_own_bytes_in_both_halves_of_a_layer(hidden, element_size, mask_size):
    without = training_steps.residual_pass_size(hidden, element_size, 0.0)
    assert training_steps.residual_pass_size(hidden, element_size, mask_size) == pytest.approx(without + 2.0 * mask_size * hidden)


def test_hand_counts_of_16_bit_training():
    assert training_steps.residual_pass_size(1.0) == 22.0
    assert training_steps.attention_pass_size(1.0) == 10.0
    assert [training_steps.activation_pass_size(1.0, matrices) for matrices in (2.0, 3.0)] == [4.0, 6.0]
    assert training_steps.permutation_pass_size(1.0) == 8.0
    assert training_steps.loss_traffic(1.0, 1.0) == 12.0
    assert training_steps.stored_scores_backward_ratio() == 18.0 / 14.0
    assert [training_steps.optimizer_traffic(*which) for which in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0))] == [30.0, 6.0, 36.0]


@given(st.floats(0.1, 8.0), shares)
def test_stored_scores_move_half_as_much_more_backward_without_masks(element_size, mask_size):
    assert training_steps.stored_scores_backward_ratio(element_size, 0.0) == pytest.approx(1.5)
    assert 0.0 < training_steps.stored_scores_backward_ratio(element_size, mask_size) <= 1.5 * (1.0 + 1e-12)


@given(counts, counts, positive, positive)
def test_the_loss_needs_as_many_bytes_for_tokens_as_for_words(rows, columns, element_size, wide_size):
    moved = training_steps.loss_traffic(rows, columns, element_size, wide_size)
    assert moved == pytest.approx(training_steps.loss_traffic(columns, rows, wide_size, element_size))


@given(sizes, counts)
def test_sharding_the_optimizer_saves_what_is_no_longer_held(parameters, replicas):
    whole = training_steps.optimizer_traffic(parameters, parameters)
    split = training_steps.optimizer_traffic(parameters / replicas, parameters)
    assert whole - split == pytest.approx(30.0 * parameters * (1.0 - 1.0 / replicas), rel=1e-9, abs=1e-6 * parameters)


# ---------------------------------------------------------------- runs


@given(counts, st.floats(0.0, 0.1), st.floats(1.0, 10.0))
def test_stragglers_cost_more_on_more_chips_and_nothing_up_to_the_reference(chips, growth, more):
    factor = training_steps.straggler_factor(chips, growth)
    assert factor >= 1.0
    assert training_steps.straggler_factor(chips * more, growth) >= factor
    assert training_steps.straggler_factor(min(chips, 8.0), growth) == 1.0
    assert training_steps.straggler_factor(chips, 0.0) == 1.0


@given(st.floats(0.0, 1e9), st.floats(0.0, 1e9), st.floats(0.0, 2.0), st.floats(1e5, 1e9))
def test_software_only_gets_better(age, later, handicap, maturing):
    factor = training_steps.maturing_factor(age, handicap, maturing)
    assert 1.0 <= factor <= 1.0 + handicap
    assert training_steps.maturing_factor(age + later, handicap, maturing) <= factor
    assert training_steps.maturing_factor(0.0, handicap, maturing) == pytest.approx(1.0 + handicap)


@given(st.floats(1e6, 1e14), st.floats(1.0, 1e14), counts, rates, st.floats(0.01, 1.0))
def test_utilisation_time_and_work_of_a_site_close_the_circle(work, tokens, chips, peak, utilisation):
    time = training_steps.training_time(work, tokens, chips, utilisation * peak)
    assert training_steps.model_flop_utilisation(work, tokens, chips, time, peak) == pytest.approx(utilisation, rel=1e-12)
    assert facilities.site_work(chips, peak, utilisation, time) == pytest.approx(work * tokens, rel=1e-12)
