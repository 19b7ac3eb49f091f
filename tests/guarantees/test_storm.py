"""Everything at once."""

from tests.guarantees.storm import FLUSHES, LONGEST, Storm


def test_in_a_storm_every_task_is_done_and_every_effect_is_there_once(site, user):
    site.rest()
    flush = site.empty_queue if "REDIS_URL" in site.env else None
    pause = 0.02 if "DATABASE_URL" in site.env else 0.01  # SQLite lets one task write at a time
    outcome = Storm(site, flush, tasks=32, pause=pause).rage(60)
    print(outcome)
    assert (outcome.unsuccessful, outcome.missing, outcome.twice) == (0, 0, 0)
    assert outcome.kills >= 4
    assert outcome.rescues
    assert outcome.flushes == (FLUSHES if flush else 0)
    assert outcome.rescued_after < LONGEST
    assert outcome.idle < LONGEST


def test_in_a_storm_over_a_network_that_fails_time_and_again_it_is_the_same(new_site):
    site = new_site("postgres")
    with site.far_away() as network, site.entered():
        outcome = Storm(site, None, tasks=8, pause=0.02, network=network).rage(120)
    print(outcome)
    assert (outcome.unsuccessful, outcome.missing, outcome.twice) == (0, 0, 0)
    assert outcome.kills >= 1
    assert outcome.faults >= 2
