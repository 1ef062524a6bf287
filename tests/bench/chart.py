"""bench.svg: spends a second of all sides as bars, on a logarithmic scale."""
import math

SIDES = (('fundd', 'fundd: signed, Merkle tree', '#1b6ca8'),
         ('redis', 'Redis, fsync always', '#d1495b'),
         ('postgres', 'PostgreSQL', '#66a182'), ('chain', 'PostgreSQL, hash chain', '#8d96a3'))
GROUPS = (('64x8', '64 clients, 8 in flight'), ('64x1', '64 clients'), ('16x1', '16 clients'),
          ('1x1', '1 client'))
LEFT, WIDTH, BAR, GAP = 180, 520, 16, 18
LEAST, MOST = 1000, 1000000


def length(rate):
    share = math.log(max(rate, LEAST) / LEAST) / math.log(MOST / LEAST)
    return max(1, round(WIDTH * min(share, 1)))


def text(x, y, words, **more):
    extra = ''.join(' %s="%s"' % (key.replace('_', '-'), value) for key, value in more.items())
    return '<text x="%d" y="%d"%s>%s</text>' % (x, y, extra, words)


def bars(figures):
    """The bars and their words, and where the last one ends."""
    shapes, y = [], 60
    for at, title in GROUPS:
        shown = [(name, colour) for name, _, colour in SIDES
                 if '%s_%s_rate' % (name, at) in figures]
        shapes.append(text(LEFT - 10, y + BAR * len(shown) / 2 + 4, title, text_anchor='end'))
        for name, colour in shown:
            rate = figures.median('%s_%s_rate' % (name, at))
            shapes.append('<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>'
                          % (LEFT, y, length(rate), BAR - 2, colour))
            shapes.append(text(LEFT + length(rate) + 6, y + BAR - 5, format(round(rate), ',')))
            y += BAR
        y += GAP
    return shapes, y


def grid(height):
    shapes = []
    for power in range(3, 7):
        x = LEFT + length(10**power) - (power == 3)
        shapes.append('<line x1="%d" y1="50" x2="%d" y2="%d" stroke="#ddd"/>' % (x, x, height))
        shapes.append(text(x, height + 14, format(10**power, ','), text_anchor='middle',
                           fill='#666'))
    return shapes


def legend():
    shapes, x = [], 20
    for _, title, colour in SIDES:
        shapes.append('<rect x="%d" y="28" width="11" height="11" fill="%s"/>' % (x, colour))
        shapes.append(text(x + 16, 38, title))
        x += 190
    return shapes


def draw(figures):
    shapes, height = bars(figures)
    words = text(20, 18, 'Durable spends a second, each answered after its commit (medians of %d '
                 'rounds; logarithmic)' % figures.rounds, font_weight='bold')
    return ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" '
            'font-size="12"><rect width="100%%" height="100%%" fill="white"/>\n%s\n</svg>\n'
            % (LEFT + WIDTH + 80, height + 24,
               '\n'.join([words] + legend() + grid(height) + shapes)))
