/** Looks at the files of an installed package: what its pages link to, and what its source maps name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const filesIn = (folder, ending) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
    .map((name) => join(folder, name))

/** `[text](target)` outside of code blocks and of quoted code. */
const linksIn = (page) => [...page.replace(/```[\s\S]*?```|`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
/** As GitHub makes it of a heading. */
const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
const anchorsIn = (page) => [...page.replace(/```[\s\S]*?```/g, '').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading))

/** `page → target` for each relative link of a page that leads to no file, or to no heading there. */
export const brokenLinks = (folder) =>
  filesIn(folder, '.md').flatMap((path) =>
    linksIn(readFileSync(path, 'utf8'))
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => {
        const [file, anchor] = target.split('#')
        const to = file === '' ? path : join(dirname(path), file)
        if (!existsSync(to)) return true
        return anchor !== undefined && to.endsWith('.md') && !anchorsIn(readFileSync(to, 'utf8')).includes(anchor)
      })
      .map((target) => `${relative(folder, path)} → ${target}`),
  )

/** `file → source` for each source of a map that is not in the package, and each file that names a map which is not there. */
export const lostSources = (folder) => {
  const named = filesIn(folder, '.js')
    .concat(filesIn(folder, '.d.ts'))
    .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/^\/\/# sourceMappingURL=(\S+)$/gm)].map(([, map]) => [path, map]))
  const sources = filesIn(folder, '.map').flatMap((path) => JSON.parse(readFileSync(path, 'utf8')).sources.map((source) => [path, source]))
  return [...named, ...sources]
    .filter(([path, target]) => !existsSync(join(dirname(path), target)))
    .map(([path, target]) => `${relative(folder, path)} → ${target}`)
}
