"""The table: what each line is called, how it is made of the figures, and what it should come to."""
import statistics


def of(name, scale=1):
    return lambda f: f.median(name) * scale


def ratio(one, other, scale=1):
    """The median over the rounds of one / other, each pair measured in the same round."""
    return lambda f: statistics.median(a / b for a, b in zip(f[one], f[other])) * scale


def over_command(f):
    """A whole command beside doing nothing in one, plus one commit."""
    return statistics.median(a / (b + c) for a, b, c in
                             zip(f['fund_spend_us'], f['true_us'], f['fundd_1x1_median_us']))


WHOLE, TWO = '{:,.0f}', '{:.2f}'


def side_by_side(clients, depth, least, redis, postgres=None, chain=None):
    """The rates of all sides at one number of clients, and the ratios."""
    at = '%dx%d' % (clients, depth)
    calls = 'one call each' if depth == 1 else '%d calls in flight each' % depth
    who = '%d clients, %s' % (clients, calls) if clients > 1 else '1 client'
    rows = [(who + ': spends/s', WHOLE, of('fundd_%s_rate' % at),
             ('>=', least) if least else None)]
    for name, title, factor in (('redis', 'Redis, appendfsync always', redis),
                                ('postgres', 'PostgreSQL', postgres),
                                ('chain', 'PostgreSQL with a hash chain', chain)):
        if name != 'redis' and depth > 1:
            continue
        rows.append(('   ' + title, WHOLE, of('%s_%s_rate' % (name, at)), None))
        rows.append(('      fundd / that', TWO,
                     ratio('fundd_%s_rate' % at, '%s_%s_rate' % (name, at)),
                     ('>=', factor) if factor else None))
    return rows


def latencies(name):
    return [('   median answer, µs', WHOLE, of(name + '_median_us'), None),
            ('   p99, µs', WHOLE, of(name + '_p99_us'), None),
            ('   p99.9, µs', WHOLE, of(name + '_p999_us'), None)]


def short(entries):
    return {10**5: '10^5', 10**6: '10^6', 10**7: '10^7'}.get(entries, format(entries, ','))


def growth(sizes):
    rows = []
    first, last = sizes.grown[0], sizes.grown[-1]
    for entries in sizes.grown:
        name = 'grown_%d' % entries
        rows.append(('%s entries, %s budgets, 64 clients: spends/s'
                     % (short(entries), format(sizes.budgets, ',')), WHOLE, of(name + '_rate'),
                     None))
        if entries != first:
            rows.append(('   / that at %s' % short(first), TWO,
                         ratio(name + '_rate', 'grown_%d_rate' % first), ('>=', 0.85)))
    rows += [('   p99.9 at %s, ms' % short(last), '{:.1f}', of('grown_%d_p999_us' % last, 1e-3),
              ('<=', 20)),
             ('start with %s entries, after a clean stop, s' % short(last), TWO,
              of('start_%d_s' % last), ('<=', 2)),
             ('   after kill -9, s', TWO, of('start_killed_s'), ('<=', 5)),
             ('memory with %s entries, MB' % short(last), WHOLE, of('memory_%d' % last, 1e-6),
              None),
             ('   a budget, bytes', WHOLE, of('bytes_budget'), ('<=', 1024)),
             ('   an idle connection, bytes', WHOLE, of('bytes_connection'), ('<=', 400)),
             ('disk at %s entries, large batches, bytes an entry' % short(last), WHOLE,
              of('bytes_grown'), None),
             ('audit: the last 50 of a budget, of %s entries, ms' % short(last), TWO,
              of('audit_50_ms'), ('<=', 2)),
             ('report of a month by category, of %s entries, ms' % short(last), TWO,
              of('report_ms'),
              ('<=', 50)),
             ('audit of everything with a filter, entries/s', WHOLE, of('scan_rate'),
              ('>=', 1000000)),
             ('fundd --verify, entries/s', WHOLE, of('verify_rate'), ('>=', 1500000)),
             ('64 clients beside ten audits: spends/s', WHOLE, of('audited_rate'), None),
             ('   share of the rate without them', TWO, of('audited_share'), ('>=', 0.7)),
             ('   p99, times that without them', TWO, of('audited_p99'), ('<=', 3)),
             ('   rows audited a second meanwhile', WHOLE, of('audited_rows_rate'), None)]
    return rows


def measures(sizes):
    return [
        *side_by_side(64, 1, 60000, 1.8, 5, 30), *latencies('fundd_64x1'),
        ('   the same with receipts: spends/s', WHOLE, of('receipts_64x1_rate'), None),
        *side_by_side(64, 8, 120000, None), *latencies('fundd_64x8'),
        *side_by_side(16, 1, 25000, 1.2, 2), *latencies('fundd_16x1'),
        *side_by_side(1, 1, None, None), *latencies('fundd_1x1'),
        ('   PostgreSQL: median answer, µs', WHOLE, of('postgres_1x1_median_us'), None),
        ('      fundd / that', TWO, ratio('fundd_1x1_median_us', 'postgres_1x1_median_us'),
         ('<=', 1)),
        ('   4 KiB write + fdatasync, blocks filled ahead, µs', WHOLE, of('disk_over_us'), None),
        ('      fundd / that', TWO, ratio('fundd_1x1_median_us', 'disk_over_us'), ('<=', 3)),
        ('   4 KiB write + fdatasync, growing file, µs', WHOLE, of('disk_behind_us'), None),
        ('fund spend, the whole command, µs', WHOLE, of('fund_spend_us'), None),
        ('   / (/bin/true + one commit)', TWO, over_command, ('<=', 2)),
        ('   /bin/true, µs', WHOLE, of('true_us'), None),
        ('   psql -c, µs', WHOLE, of('psql_us'), None),
        ('   redis-cli, µs', WHOLE, of('redis_cli_us'), None),
        ('disk, 64 clients one call each, bytes an entry', WHOLE, of('bytes_64x1'), ('<=', 700)),
        *growth(sizes),
        ('%s entries as a journal: ledger bal, s' % format(sizes.journal, ','), TWO, of('ledger_s'),
         None),
        ('   hledger bal, s', TWO, of('hledger_s'), None),
        ('   fundd --verify, s', TWO, of('journal_verify_s'), None),
        ('   fund verify --full, s', TWO, of('journal_full_s'), None),
    ]


def value_of(make, figures):
    """None where it was not measured."""
    try:
        return make(figures)
    except KeyError:
        return None


def reached(value, target):
    if not target or value is None:
        return ''
    word, limit = target
    met = value >= limit if word == '>=' else value <= limit
    return '%s %s %s' % (word, format(limit, ','), 'yes' if met else 'NO')


def table(rows, figures):
    width = max(len(title) for title, *_ in rows)
    lines = ['%-*s  %12s   %s' % (width, 'medians of %d rounds' % figures.rounds, '', 'target')]
    for title, form, make, target in rows:
        value = value_of(make, figures)
        if value is None:
            continue
        shown = form.format(value)
        lines.append(('%-*s  %12s   %s' % (width, title, shown, reached(value, target))).rstrip())
    return '\n'.join(lines)


def listed(rows, figures):
    """The same for a program: titles under the one they are indented below."""
    result, above = [], []
    for title, _, make, target in rows:
        depth = (len(title) - len(title.lstrip())) // 3
        above = above[:depth] + [title.strip()]
        value = value_of(make, figures)
        result.append({'measure': above, 'value': value, 'target': list(target) if target else None,
                       'reached': None if value is None or not target
                       else 'yes' in reached(value, target)})
    return result
