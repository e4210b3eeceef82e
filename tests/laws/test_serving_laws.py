"""Laws of serving: bounds, limits, sums, simulated loops, and agreement with the formulas of other topics."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import memory, overheads, roofline, serving

counts = st.integers(1, 20_000).map(float)
lengths = st.integers(16, 100_000).map(float)
users = st.floats(1.0, 20_000.0)
rates = st.floats(1e12, 1e16)
bandwidths = st.floats(1e10, 1e14)
sizes = st.floats(1e6, 1e13)
caches = st.floats(1e4, 1e12)
weights = st.floats(0.25, 4.0)
seconds = st.floats(1e-7, 1e2)
factors = st.floats(1.0, 5.0)
shares = st.floats(0.0, 1.0)
drafts = st.integers(0, 12).map(float)
LESS = 1.0 - 1e-12
MORE = 1.0 + 1e-12

# ---------------------------------------------------------------- kernels


@given(lengths, lengths, lengths, rates, bandwidths, weights, weights)
def test_a_product_takes_the_smooth_maximum_of_compute_and_memory(rows, inner, columns, rate, bandwidth, weight, activation):
    time = serving.product_time(rows, inner, columns, rate, bandwidth, weight, activation)
    compute = roofline.compute_time(2.0 * rows * inner * columns, rate)
    reading = memory.transfer_time(weight * inner * columns + activation * rows * (inner + columns), bandwidth)
    assert time == pytest.approx(overheads.smooth_maximum([compute, reading], 2.0), rel=1e-9)
    assert max(compute, reading) * LESS <= time <= 2.0**0.5 * max(compute, reading) * MORE


@given(lengths, lengths, lengths, rates, bandwidths, weights)
def test_one_format_makes_the_compulsory_traffic(rows, inner, columns, rate, bandwidth, size):
    slow = serving.product_time(rows, inner, columns, 1e40, bandwidth, size, size)
    traffic = memory.compulsory_matmul_traffic(rows, columns, inner, size)
    assert slow == pytest.approx(traffic / bandwidth, rel=1e-9)
    assert serving.product_time(rows, inner, columns, rate, bandwidth, size, size) >= slow * LESS


@given(lengths, lengths, lengths, rates, bandwidths, weights, factors)
def test_products_are_faster_with_more_of_either_resource_and_slower_with_more_rows(r, k, n, rate, bandwidth, weight, more):
    time = serving.product_time(r, k, n, rate, bandwidth, weight)
    assert serving.product_time(r, k, n, rate * more, bandwidth, weight) <= time * MORE
    assert serving.product_time(r, k, n, rate, bandwidth * more, weight) <= time * MORE
    assert serving.product_time(r * more, k, n, rate, bandwidth, weight) >= time * LESS
    assert serving.product_time(r, k, n, rate * more, bandwidth * more, weight) == pytest.approx(time / more, rel=1e-9)


@given(lengths, lengths, rates, bandwidths, weights)
def test_no_rows_leave_the_reading_of_weights(inner, columns, rate, bandwidth, weight):
    assert serving.product_time(0.0, inner, columns, rate, bandwidth, weight) == pytest.approx(weight * inner * columns / bandwidth)


@given(sizes, st.sampled_from([1.0, 2.0, 4.0, 8.0, 16.0]), seconds, seconds, bandwidths)
def test_a_group_of_twice_the_ranks_costs_one_more_round(message, ranks, latency, doubling, bandwidth):
    one = serving.all_reduce_time(message, ranks, latency, doubling, bandwidth)
    twice = serving.all_reduce_time(message, 2.0 * ranks, latency, doubling, bandwidth)
    assert twice - one == pytest.approx(doubling, rel=1e-6, abs=1e-9 * twice)
    assert serving.all_reduce_time(message, 1.0, latency, doubling, bandwidth) == pytest.approx(latency + message / bandwidth)


@given(counts, counts, counts, counts)
def test_passes_move_what_tokens_and_layers_add_up_to(rows, more, hidden, layers):
    one, other, both = (serving.decode_pass_size(m, hidden, layers) for m in (rows, more, rows + more))
    assert both == pytest.approx(one + other)
    assert serving.decode_pass_size(rows, hidden, layers, 8.0 + 2.0 + 2.0, 2.0) == serving.decode_pass_size(rows, hidden, layers)
    assert serving.decode_pass_size(1.0, 1.0, 1.0) == 24.0


# ---------------------------------------------------------------- bounds of a step


@given(users, caches, sizes, sizes, bandwidths, rates)
def test_the_two_regimes_meet_at_the_compute_bound_batch(batch, cache, weight, work, bandwidth, rate):
    both = serving.two_regime_step_time(batch, cache, weight, work, bandwidth, rate)
    read = serving.memory_bound_step_time(batch, cache, weight, bandwidth)
    corner = serving.compute_bound_batch(weight, work, bandwidth, rate)
    assert both >= read * (1.0 - 1e-9)
    if batch <= corner:
        assert both == pytest.approx(read, rel=1e-9)
    else:
        assert both == pytest.approx(batch * (cache / bandwidth + work / rate), rel=1e-9)


@given(users, caches, sizes, bandwidths)
def test_a_step_reads_what_it_holds(batch, cache, weight, bandwidth):
    step = serving.memory_bound_step_time(batch, cache, weight, bandwidth)
    assert step == pytest.approx(memory.transfer_time(batch * cache, bandwidth) + memory.transfer_time(weight, bandwidth))
    assert serving.memory_bound_step_time(0.0, cache, weight, bandwidth) == pytest.approx(weight / bandwidth)


@given(sizes, bandwidths, rates)
def test_two_bytes_and_two_operations_a_parameter_make_the_ridge_point(parameters, bandwidth, rate):
    batch = serving.compute_bound_batch(2.0 * parameters, 2.0 * parameters, bandwidth, rate)
    assert batch == pytest.approx(roofline.ridge_point(rate, bandwidth), rel=1e-9)


# ---------------------------------------------------------------- requests


@given(sizes, caches, factors)
def test_slots_fill_the_memory_and_are_never_fewer_than_one(available, cache, more):
    slots = serving.cache_slots(available, cache)
    assert slots >= 1.0
    assert slots == 1.0 or slots * cache == pytest.approx(available)
    assert serving.cache_slots(available, cache * more) <= slots * MORE
    assert serving.cache_slots(0.0, cache) == 1.0


@given(counts, counts, counts, seconds, seconds, factors)
def test_a_single_user_waits_for_nobody(ranks, output, rounds, step, prefill, more):
    alone = serving.prefill_share(1.0, ranks, output)
    assert serving.time_per_output_token(step, alone, prefill) == step
    assert serving.burst_wait(ranks, ranks, prefill, rounds, step) == 0.0
    assert serving.queue_wait(1.0, more, output, step) == 0.0


@given(users, counts, counts, counts, seconds)
def test_over_a_whole_answer_every_other_user_of_the_rank_prefills_once(many, ranks, output, steps, prefill):
    share = serving.prefill_share(many, ranks, output)
    assert serving.time_per_output_token(0.0, share, prefill) * output == pytest.approx((many - 1.0) / ranks * prefill, abs=1e-9)
    assert share >= serving.prefill_share(many, ranks * steps, output) >= 0.0


@given(st.integers(1, 40), st.integers(1, 12), seconds)
def test_the_burst_is_the_mean_of_a_first_round_in_turn_and_later_ones_without_waits(many, rounds, prefill):
    waits = [i * prefill for i in range(many)] + [0.0] * (many * (rounds - 1))
    found = serving.burst_wait(float(many), 1.0, prefill, float(rounds), 0.0)
    assert found == pytest.approx(sum(waits) / len(waits), abs=1e-12)
    assert serving.burst_wait(float(many), 1.0, prefill, float("inf"), 0.0) == 0.0


@given(users, st.floats(1.0, 1e4), counts, seconds)
def test_waiting_and_running_users_make_the_whole_loop(many, slots, output, token_time):
    """Little's law for the loop, the slots and the queue at one throughput."""
    answer = output * token_time
    wait = serving.queue_wait(many, slots, output, token_time)
    throughput = serving.closed_loop_throughput(many, output, answer + wait)
    assert throughput == pytest.approx(serving.decode_throughput(min(many, slots), token_time), rel=1e-9)
    assert throughput / output * wait == pytest.approx(max(many - slots, 0.0), rel=1e-9, abs=1e-9 * many)


@given(st.integers(1, 30), st.integers(1, 30), seconds)
def test_the_queue_is_that_of_a_simulated_loop(many, slots, answer):
    """Users ask again at once; slots serve first come, first served; the start is left out."""
    free = [0.0] * slots
    asked = [0.0] * many
    waits = []
    for turn in range(60 * many):
        user = min(range(many), key=asked.__getitem__)
        slot = min(range(slots), key=free.__getitem__)
        start = max(asked[user], free[slot])
        if turn >= 30 * many:
            waits.append(start - asked[user])
        asked[user] = free[slot] = start + answer
    found = serving.queue_wait(float(many), float(slots), 1.0, answer)
    assert found == pytest.approx(sum(waits) / len(waits), rel=0.05, abs=1e-9 * answer)


@given(seconds, seconds, seconds, st.floats(0.0, 10.0), seconds, seconds)
def test_waits_add_up_to_the_first_token(first, burst, token_time, steps, fixed, queue):
    whole = serving.first_token_time(first, burst, token_time, steps, fixed, queue)
    assert whole == pytest.approx(first + serving.first_token_time(0.0, burst, token_time, steps, fixed, queue), rel=1e-9)
    assert whole >= max(first, burst, steps * token_time, fixed, queue) * LESS
    assert serving.first_token_time(first, 0.0, token_time, 0.0, 0.0, 0.0) == first


@given(seconds, seconds, counts, counts)
def test_one_token_takes_the_first_and_each_further_one_its_time(first, token_time, output, more):
    assert serving.request_latency(first, token_time, 1.0) == first
    longer = serving.request_latency(first, token_time, output + more) - serving.request_latency(first, token_time, output)
    assert longer == pytest.approx(more * token_time, rel=1e-6)


@given(seconds, users, seconds, counts)
def test_pools_in_balance_start_as_many_requests_as_they_end(prefill, batch, step, output):
    ratio = serving.prefill_pool_ratio(prefill, batch, step, output)
    assert ratio / prefill == pytest.approx(serving.decode_throughput(batch, step) / output, rel=1e-9)


# ---------------------------------------------------------------- speculation


@given(st.floats(0.0, 0.9999), drafts)
def test_a_step_gains_the_geometric_series(acceptance, draft):
    tokens = serving.expected_tokens_per_step(acceptance, draft)
    assert tokens == pytest.approx(sum(acceptance**i for i in range(int(draft) + 1)), rel=1e-9)
    assert 1.0 * LESS <= tokens <= (draft + 1.0) * MORE
    assert tokens <= 1.0 / (1.0 - acceptance) * MORE
    assert serving.expected_tokens_per_step(1.0, draft) == draft + 1.0
    assert serving.expected_tokens_per_step(0.0, draft) == 1.0


@given(st.floats(0.05, 0.95), st.integers(1, 8))
def test_a_step_gains_what_thrown_coins_gain(acceptance, draft):
    coins = random.Random(7)
    runs = 4000
    gained = 0
    for _ in range(runs):
        gained += 1 + next((i for i in range(draft) if coins.random() >= acceptance), draft)
    assert serving.expected_tokens_per_step(acceptance, float(draft)) == pytest.approx(gained / runs, rel=0.08)


@given(st.floats(0.0, 0.999), st.integers(1, 12).map(float), st.floats(0.0, 1.0), factors)
def test_speculation_pays_less_with_a_dearer_draft_and_step(acceptance, draft, cost, verify):
    speedup = serving.speculative_speedup(acceptance, draft, cost)
    assert speedup <= serving.speculative_speedup(acceptance, draft, 0.0) * MORE
    assert serving.speculative_speedup(acceptance, draft, cost, verify) <= speedup * MORE
    assert serving.speculative_speedup(acceptance, 0.0, cost) == pytest.approx(1.0)


@given(st.floats(0.0, 0.999), st.floats(0.0, 1.0))
def test_one_draft_token_pays_where_it_is_accepted_more_often_than_it_costs(acceptance, cost):
    """Corollary 3.9 of Leviathan et al."""
    assert serving.speculative_speedup(acceptance, 1.0, cost) == pytest.approx((1.0 + acceptance) / (1.0 + cost), rel=1e-9)


@given(st.floats(0.0, 0.999), drafts, st.floats(0.0, 1.0))
def test_speculation_never_saves_work_and_where_compute_binds_never_time(acceptance, draft, cost):
    work = serving.speculative_work_ratio(acceptance, draft, cost)
    assert work >= 1.0 * LESS
    assert serving.speculative_speedup(acceptance, draft, cost, draft + 1.0) == pytest.approx(1.0 / work, rel=1e-9)


# ---------------------------------------------------------------- throughput


@given(users, seconds, factors)
def test_throughput_is_the_rate_of_all_users(batch, step, tokens):
    assert serving.decode_throughput(batch, step, tokens) == pytest.approx(batch * serving.interactivity(step, tokens), rel=1e-9)
    assert serving.interactivity(step, tokens) == pytest.approx(tokens * serving.interactivity(step), rel=1e-9)


@given(users, counts, seconds, seconds)
def test_a_user_who_thinks_asks_for_less(many, output, latency, think):
    busy = serving.closed_loop_throughput(many, output, latency)
    assert serving.closed_loop_throughput(many, output, latency, think) <= busy
    assert serving.closed_loop_throughput(many, output, latency, latency) == pytest.approx(busy / 2.0, rel=1e-9)


@given(users, counts, bandwidths, sizes, caches, seconds, factors)
def test_the_line_goes_through_every_batch(batch, chips, bandwidth, weight, cache, fixed, tokens):
    step = serving.memory_bound_step_time(batch, cache, weight, chips * bandwidth) + fixed
    rate = serving.interactivity(step, tokens)
    found = serving.throughput_at_interactivity(rate, chips, bandwidth, weight, cache, fixed, tokens)
    scale = bandwidth * tokens / cache
    assert found == pytest.approx(serving.decode_throughput(batch, step, tokens) / chips, rel=1e-9, abs=1e-12 * scale)


@given(counts, bandwidths, sizes, caches, seconds)
def test_the_line_ends_where_caches_are_all_that_is_read_and_where_the_batch_is_empty(chips, bandwidth, weight, cache, fixed):
    line = {"chips": chips, "bandwidth": bandwidth, "weights": weight, "cache": cache, "fixed": fixed}
    most = serving.throughput_at_interactivity(0.0, **line)
    assert most == pytest.approx(bandwidth / cache, rel=1e-9)
    fastest = serving.interactivity(serving.memory_bound_step_time(0.0, cache, weight, chips * bandwidth) + fixed)
    assert serving.throughput_at_interactivity(fastest, **line) == pytest.approx(0.0, abs=1e-9 * most)
