/**
 * Contests as a picture: for each workload a group of bars, as long as the ratio to the limit on a scale of powers of ten.
 *
 * The text takes the colour of the page that shows it, so that the picture can be read on a light and on a dark one.
 */
import type { Outcome, Score } from '../contest/contest.js'

const width = 860
const left = 240
const right = 90
const bar = 13
const gap = 3
const between = 16
const top = 44

const colours: Readonly<Record<string, string>> = {
  Unitary: '#0f766e',
  'Unitary, trusted': '#5eaaa3',
  Kysely: '#8b8fa3',
  Drizzle: '#b08d57',
  MikroORM: '#b4637a',
  TypeORM: '#7d6ba8',
  Prisma: '#5b84b1',
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

const text = (x: number, y: number, content: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${escaped(content)}</text>`

/** The picture as SVG. */
export const chart = (outcomes: ReadonlyArray<Outcome>): string => {
  const shown = outcomes.map(({ scores, workload }) => ({ workload, scores: scores.slice(1) }))
  const most = Math.max(10, ...shown.flatMap(({ scores }) => scores.map(({ ratio }) => ratio)))
  const decades = Math.ceil(Math.log10(most))
  const scale = (ratio: number): number => (Math.log10(Math.max(ratio, 1)) / decades) * (width - left - right)
  const lines: string[] = []
  let y = top
  for (const { scores, workload } of shown) {
    lines.push(text(left - 10, y + bar - 2, workload.title, 'text-anchor="end" font-weight="600"'))
    lines.push(
      text(
        left - 10,
        y + 2 * bar,
        workload.count.toLocaleString('en'),
        'text-anchor="end" opacity="0.6" font-size="11"',
      ),
    )
    for (const score of scores) {
      lines.push(barOf(score, y, scale(score.ratio)))
      y += bar + gap
    }
    y += Math.max(between, 2 * bar + 10 - scores.length * (bar + gap))
  }
  const grid = Array.from({ length: decades + 1 }, (_, decade) => {
    const x = left + scale(10 ** decade)
    return (
      `<line x1="${x}" x2="${x}" y1="${top - 8}" y2="${y - between + 4}" stroke="currentColor" opacity="0.2"/>` +
      text(x, top - 14, `${10 ** decade}x`, 'text-anchor="middle" opacity="0.7"')
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="system-ui, sans-serif" font-size="12" fill="currentColor" color="#52606d">
<title>Time of each library over the time of bare better-sqlite3 doing the same work by hand; shorter is better</title>
${text(left - 10, top - 14, 'times better-sqlite3 by hand', 'text-anchor="end" opacity="0.7"')}
${[...grid, ...lines].join('\n')}
</svg>
`
}

const barOf = ({ contestant, ratio }: Score, y: number, length: number): string => {
  const weight = contestant === 'Unitary' ? ' font-weight="600"' : ''
  return (
    `<rect x="${left}" y="${y}" width="${Math.max(length, 1).toFixed(1)}" height="${bar}" rx="2" fill="${colours[contestant] ?? '#999'}"/>` +
    text(left + length + 6, y + bar - 3, `${contestant} ${ratio.toFixed(1)}x`, `font-size="11"${weight}`)
  )
}
