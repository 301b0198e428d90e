/** 1234567 as `1,234,567`, in every locale. */
export const count = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',')

const units = ['kB', 'MB', 'GB', 'TB'] as const

/** Three digits at least, and no more than needed: `999 B`, `1.2 kB`, `64 MB`. */
export const size = (bytes: number): string => {
  if (bytes < 1000) return `${bytes} B`
  let scaled = bytes
  for (const unit of units) {
    scaled /= 1000
    if (scaled < 999.5) return `${scaled < 9.95 ? scaled.toFixed(1) : scaled.toFixed(0)} ${unit}`
  }
  return `${count(scaled)} TB`
}

/** `7 s`, `3 min 20 s`, `2 h 05 min`, `4 d 03 h`. */
export const duration = (ms: number): string => {
  const s = Math.floor(ms / 1000)
  const [m, h, d] = [Math.floor(s / 60), Math.floor(s / 3600), Math.floor(s / 86_400)]
  if (s < 60) return `${s} s`
  if (m < 60) return `${m} min ${two(s % 60)} s`
  return h < 24 ? `${h} h ${two(m % 60)} min` : `${d} d ${two(h % 24)} h`
}

const two = (n: number): string => String(n).padStart(2, '0')

/** The time of day on this machine: `14:03:07`. */
export const clock = (at: number): string => {
  const date = new Date(at)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
}

const eighths = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const

/** A row of small bars, the highest of which is the highest value; zero is a blank that keeps its place. */
export const sparkline = (values: ReadonlyArray<number>): string => {
  const top = Math.max(1, ...values)
  return values.map((value) => (value <= 0 ? '·' : (eighths[Math.min(7, Math.floor((value / top) * 8))] ?? '█'))).join('')
}

/** A bar of `width` cells of which the given part is full. */
export const bar = (part: number, width: number): string => {
  const full = Math.round(Math.min(1, Math.max(0, part)) * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}
