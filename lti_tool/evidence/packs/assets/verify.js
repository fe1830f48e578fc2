// Checks a pack in the browser, as lti_tool/evidence/proof does: same steps, same findings, in the
// same order. It asks nobody: what it knows is the file, what was typed in, and WebCrypto.
'use strict'

const UNLISTED = ['manifest.json', 'signature.json']
const WORKBOOK = 'workbook.xlsx'
const ENTRIES = 'entries.jsonl'
const VALUES = ['person', 'printed_name', 'score']
const LETTERS = '3479ACDEFGHJKMNPQRTVWXY'
const MOST_UNPACKED = 512 * 1024 * 1024

class Unreadable extends Error {}
class Mistyped extends Error {}

// Bytes and texts
const encoder = new TextEncoder()
const text = (bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, '0')).join('')
const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const object = (value) => {
  if (!isObject(value)) throw new TypeError()
  return value
}

function unhex (digits) {
  if (typeof digits !== 'string' || !/^([0-9a-fA-F]{2})*$/.test(digits)) throw new TypeError()
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

function join (...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

const same = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at])

// The zip: see proof/container.py
const CRC = Uint32Array.from({ length: 256 }, (_, number) => {
  for (let bit = 0; bit < 8; bit++) number = number & 1 ? (number >>> 1) ^ 0xEDB88320 : number >>> 1
  return number
})
function crc32 (bytes) {
  let crc = 0xFFFFFFFF
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC[(crc ^ byte) & 255]
  return (crc ^ 0xFFFFFFFF) >>> 0
}

function packed (mark, fields) {
  const bytes = []
  for (const [width, value] of [[4, mark], ...fields]) {
    for (let at = 0; at < width; at++) bytes.push(Math.floor(value / 256 ** at) % 256)
  }
  return Uint8Array.from(bytes)
}
const twos = (...values) => values.map((value) => [2, value])
const fours = (...values) => values.map((value) => [4, value])
const local = (name, crc, size) => join(
  packed(0x04034B50, [...twos(20, 0, 0, 0, 0x21), ...fours(crc, size, size), ...twos(name.length, 0)]),
  name
)
const central = (name, crc, size, offset) => join(
  packed(0x02014B50, [
    ...twos(3 << 8 | 20, 20, 0, 0, 0, 0x21), ...fours(crc, size, size),
    ...twos(name.length, 0, 0, 0, 0), ...fours(0o100644 * 65536, offset)
  ]),
  name
)
const end = (number, size, offset) => packed(
  0x06054B50, [...twos(0, 0, number, number), ...fours(size, offset), ...twos(0)]
)

function listed (data) {
  const view = new DataView(data.buffer, data.byteOffset, data.length)
  try {
    const last = data.length - 22
    const [number, size, offset] = [view.getUint16(last + 10, true), view.getUint32(last + 12, true), view.getUint32(last + 16, true)]
    const isEnd = view.getUint32(last, true) === 0x06054B50 && view.getUint16(last + 20, true) === 0
    if (!isEnd || offset + size + 22 > data.length) throw new Unreadable()
    const found = []
    for (let count = 0, at = offset; count < number; count++) {
      if (view.getUint32(at, true) !== 0x02014B50) throw new Unreadable()
      const lengths = [28, 30, 32].map((field) => view.getUint16(at + field, true))
      view.getUint32(at + 42, true)
      found.push({
        name: data.subarray(at + 46, at + 46 + lengths[0]),
        method: view.getUint16(at + 10, true),
        size: view.getUint32(at + 20, true),
        offset: view.getUint32(at + 42, true)
      })
      at += 46 + lengths[0] + lengths[1] + lengths[2]
    }
    // Files that would fill more than the zip itself lie over one another, and are a trap.
    if (found.reduce((sum, one) => sum + one.size, 0) > data.length) throw new Unreadable()
    return found
  } catch {
    throw new Unreadable()
  }
}

function readPack (data) {
  const [files, directory, faults] = [[], [], []]
  let expected = 0
  for (const { name, method, size, offset } of listed(data)) {
    if (method !== 0) throw new Unreadable()
    const head = 30 + name.length
    const content = data.subarray(offset + head, offset + head + size)
    if (content.length !== size) throw new Unreadable()
    const crc = crc32(content)
    const isOurs = same(data.subarray(offset, offset + head), local(name, crc, size))
    if (offset !== expected || !isOurs) faults.push(offset)
    directory.push(central(name, crc, size, expected))
    expected += head + size
    files.push([Array.from(name, (byte) => byte < 128 ? String.fromCharCode(byte) : '\uFFFD').join(''), content])
  }
  const list = join(...directory)
  if (!same(data.subarray(expected), join(list, end(directory.length, list.length, expected)))) faults.push(expected)
  return { files, faults }
}

async function inflated (content) {
  const stream = new Blob([content]).stream().pipeThrough(new DecompressionStream('deflate-raw'))
  const [reader, parts] = [stream.getReader(), []]
  for (let length = 0; length <= MOST_UNPACKED;) {
    const { done, value } = await reader.read()
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer())
    parts.push(value)
    length += value.length
  }
  await reader.cancel()
  throw new Unreadable()
}

async function unpack (data, wanted) {
  for (const { name, method, size, offset } of listed(data)) {
    if (new TextDecoder().decode(name) !== wanted) continue
    if (offset + 30 > data.length) throw new Unreadable()
    const view = new DataView(data.buffer, data.byteOffset, data.length)
    const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true)
    const content = data.subarray(start, start + size)
    if (method === 0) return content
    try {
      return await inflated(content)
    } catch {
      throw new Unreadable()
    }
  }
  throw new Unreadable()
}

// The tree: see proof/merkle.py
const nodes = new Map()
async function nodeHash (left, right) {
  const key = hex(left) + hex(right)
  if (!nodes.has(key)) nodes.set(key, await sha256(join([1], left, right)))
  return nodes.get(key)
}
const leafHash = (data) => sha256(join([0], data))

async function rootBy (path, leaf, index, size) {
  if (!(index >= 0 && index < size)) return null
  let [found, last] = [leaf, size - 1]
  const half = () => { [index, last] = [Math.floor(index / 2), Math.floor(last / 2)] }
  for (const other of path) {
    if (last === 0) return null
    if (index % 2 || index === last) {
      found = await nodeHash(other, found)
      while (index % 2 === 0 && index) half()
    } else {
      found = await nodeHash(found, other)
    }
    half()
  }
  return last === 0 ? found : null
}

// Codes, keys, statements: see proof/codes.py and proof/statements.py
function syndromes (digits) {
  let [first, second] = [0, 0]
  for (const digit of digits) [first, second] = [(first + digit) % 23, (second * 5 + digit) % 23]
  return [first, second]
}
const grouped = (letters) => letters.match(/.{1,4}/g).join('-')

async function codeOf (bytes, signature) {
  let number = BigInt('0x' + hex(await sha256(join(encoder.encode('clauseway code 1\n'), signature, bytes))))
  const digits = []
  for (let at = 0; at < 18; at++) {
    digits.push(Number(number % 23n))
    number /= 23n
  }
  const [first, second] = syndromes([...digits, 0, 0])
  const a = (first - second + 23) * 6 % 23 // 6 is a quarter, modulo 23
  digits.push(a, (46 - first - a) % 23)
  return grouped(digits.map((digit) => LETTERS[digit]).join(''))
}

function readCode (typed) {
  const letters = Array.from(typed.toUpperCase()).filter((letter) => !' -–—\t\n'.includes(letter))
  for (const letter of letters) {
    if (!LETTERS.includes(letter)) throw new Mistyped(WORDS.mistyped.letter.replace('{letter}', letter))
  }
  if (letters.length !== 20) throw new Mistyped(WORDS.mistyped.length.replace('{found}', letters.length))
  if (syndromes(letters.map((letter) => LETTERS.indexOf(letter))).some(Boolean)) throw new Mistyped(WORDS.mistyped.check)
  return grouped(letters.join(''))
}

const plainFingerprint = (typed) => typed.toLowerCase().replace(/[\s:-]/g, '')
const isFingerprint = (typed) => /^[0-9a-f]{64}$/.test(plainFingerprint(typed))
const shownFingerprint = (found) => found.match(/.{4}/g).join(' ')

function signedOf (said, bytes) {
  try {
    return { text: bytes, signature: unhex(said.signature), key: unhex(said.public_key) }
  } catch {
    return null
  }
}

function saidBy (signed) {
  try {
    return object(JSON.parse(text(signed.text)))
  } catch {
    return {}
  }
}

async function holds (signed) {
  try {
    const key = await crypto.subtle.importKey('raw', signed.key, { name: 'Ed25519' }, false, ['verify'])
    if (!await crypto.subtle.verify('Ed25519', key, signed.signature, signed.text)) return false
  } catch {
    return false
  }
  return saidBy(signed).key === await fingerprintOf(signed)
}
const fingerprintOf = async (signed) => hex(await sha256(signed.key))

// The tables: see proof/tables.py
function rowsOfCsv (bytes) {
  const source = text(bytes).replace(/^\uFEFF/, '')
  const rows = []
  let [row, cell, at] = [[], '', 0]
  const endCell = () => { row.push(cell); cell = '' }
  const endRow = () => { endCell(); if (row.length > 1 || row[0] !== '') rows.push(row); row = [] }
  while (at < source.length) {
    if (source[at] === '"' && cell === '') {
      for (at++; ; at++) {
        if (at >= source.length) throw new Unreadable()
        if (source[at] !== '"') cell += source[at]
        else if (source[at + 1] === '"') cell += source[at++]
        else break
      }
      at++
      if (at < source.length && !',\r\n'.includes(source[at])) throw new Unreadable()
    } else if (source[at] === ',') {
      endCell()
      at++
    } else if (source[at] === '\r' || source[at] === '\n') {
      endRow()
      at += source[at] === '\r' && source[at + 1] === '\n' ? 2 : 1
    } else {
      cell += source[at++]
    }
  }
  if (cell !== '' || row.length) endRow()
  return rows
}

async function rowsOfSheet (workbook, sheet) {
  const source = text(await unpack(workbook, `xl/worksheets/${sheet}.xml`))
  if (source.includes('<!')) throw new Unreadable()
  const parsed = new DOMParser().parseFromString(source, 'application/xml')
  if (parsed.querySelector('parsererror')) throw new Unreadable()
  return Array.from(parsed.getElementsByTagName('row'), (row) => Array.from(row.children, cellOf))
}

function cellOf (cell) {
  if (cell.localName !== 'c' || cell.getAttributeNames().some((name) => name !== 't' && name !== 's')) return '\uFFFD'
  if (!cell.children.length) return ''
  const first = cell.children[0]
  if (cell.getAttribute('t') === 'inlineStr') return first.textContent.replaceAll('_x005F_', '_')
  if (first.localName !== 'v' || cell.children.length > 1 || cell.getAttribute('t')) return '\uFFFD'
  const value = first.textContent
  if (cell.getAttribute('s') === '2' && /^\d{1,6}$/.test(value)) {
    return new Date(Date.UTC(1899, 11, 30 + Number(value))).toISOString().slice(0, 10)
  }
  return value
}

const lines = (value) => value.replaceAll('\r\n', '\n').replaceAll('\r', '\n')
const isCell = (written, said) => [lines(said), "'" + lines(said)].includes(lines(written))

// The check: see proof/check.py, proof/entries.py and proof/rows.py
class Pack {
  files = new Map()
  found = []

  add (code, where = {}) { this.found.push({ code, where }) }

  json (name) {
    if (!this.files.has(name)) return null
    try {
      return JSON.parse(text(this.files.get(name)))
    } catch {
      this.add('unreadable', { file: name })
      return null
    }
  }
}

const SHAPE = {
  pack: 'string', audience: 'string', cycle: 'string', made_at: 'string',
  schools: 'list', records: 'list', files: 'list', tables: 'list'
}
const PARTS = { schools: ['id', 'name'], files: ['name', 'sha256'], tables: ['file'] }

function shaped (manifest) {
  if (!isObject(manifest) || manifest.what !== 'clauseway manifest' || manifest.format !== 1) return null
  const fits = Object.entries(SHAPE).every(([name, kind]) => (
    kind === 'list' ? Array.isArray(manifest[name]) : typeof manifest[name] === 'string'
  ))
  if (!fits) return null
  const whole = Object.entries(PARTS).every(([name, needed]) => manifest[name].every((one) => (
    isObject(one) && needed.every((at) => typeof one[at] === 'string')
  )))
  return whole ? manifest : null
}

async function check (data, { key = '', code = '' } = {}) {
  nodes.clear()
  const pack = new Pack()
  let read
  try {
    read = readPack(data)
  } catch {
    return { verdict: 'altered', findings: [{ code: 'no-pack', where: {} }] }
  }
  for (const offset of read.faults) pack.add('container', { offset })
  for (const [name, content] of read.files) {
    if (pack.files.has(name)) pack.add('file-twice', { file: name })
    pack.files.set(name, content)
  }
  const manifest = shaped(pack.json('manifest.json'))
  if (!manifest) {
    pack.add('manifest-forged')
    return { verdict: 'altered', findings: pack.found }
  }
  const signed = signedOf(pack.json('signature.json'), pack.files.get('manifest.json'))
  if (!signed || !await holds(signed)) pack.add('manifest-forged')
  const signer = signed ? await fingerprintOf(signed) : ''
  await checkFiles(pack, manifest)
  const checkpoints = await checkpointsOf(pack, manifest, signer)
  const said = new Map(Array.from(checkpoints, ([school, one]) => [school, saidBy(one)]))
  const known = await checkEntries(pack, manifest, said)
  await checkTables(pack, manifest, said, known)
  const codes = new Map()
  for (const [school, one] of checkpoints) codes.set(school, await codeOf(one.text, one.signature))
  if (key && plainFingerprint(key) !== signer) pack.add('key-other')
  if (code) {
    try {
      if (!Array.from(codes.values()).includes(readCode(code))) pack.add('code-other')
    } catch (fault) {
      pack.add('code-mistyped', { why: fault.message })
    }
  }
  const verdict = pack.found.length ? 'altered' : key || code ? 'genuine' : 'origin-not-shown'
  const erased = Array.from(known.values()).filter((one) => Object.keys(one.erased).length).length
  return { verdict, findings: pack.found, manifest, fingerprint: signer, codes: Object.fromEntries(codes), erased }
}

async function checkFiles (pack, manifest) {
  const listed = new Map(manifest.files.map((one) => [one.name, one.sha256]))
  for (const [name, digest] of listed) {
    if (!pack.files.has(name)) pack.add('file-missing', { file: name })
    else if (hex(await sha256(pack.files.get(name))) !== digest) pack.add('file-altered', { file: name })
  }
  for (const name of pack.files.keys()) {
    if (!listed.has(name) && !UNLISTED.includes(name)) pack.add('file-added', { file: name })
  }
  const inOrder = Array.from(new Set([...listed.keys(), ...UNLISTED])).filter((name) => pack.files.has(name))
  const lies = Array.from(pack.files.keys()).filter((name) => inOrder.includes(name))
  const moved = lies.find((name, place) => name !== inOrder[place])
  if (moved !== undefined) pack.add('file-moved', { file: moved })
}

async function checkpointsOf (pack, manifest, signer) {
  const schools = manifest.schools.map((one) => one.id)
  const listed = pack.json('checkpoints.json')
  const found = new Map()
  for (const one of Array.isArray(listed) ? listed : []) {
    const isText = isObject(one) && typeof one.text === 'string'
    const signed = isText ? signedOf(one, encoder.encode(one.text)) : null
    const said = signed ? saidBy(signed) : {}
    const school = String(said.school ?? '')
    const fits = said.what === 'clauseway checkpoint' && Number.isInteger(said.size) &&
      isObject(said.records) && String(said.root).length === 64
    if (!signed || !await holds(signed) || !fits) pack.add('checkpoint-forged', { school })
    else if (!schools.includes(school) || found.has(school)) pack.add('checkpoint-foreign', { school })
    else {
      found.set(school, signed)
      if (await fingerprintOf(signed) !== signer) pack.add('checkpoint-other-key', { school })
    }
  }
  for (const school of schools) if (!found.has(school)) pack.add('checkpoint-missing', { school })
  return found
}

const recordsOf = (facts) => `${facts.module ?? ''} ${facts.cycle ?? ''}`

async function checkEntries (pack, manifest, said) {
  const [completions, numbers, sealed, asked] = [new Map(), new Map(), new Map(), new Set()]
  const disposals = new Set()
  const more = (counts, name) => counts.set(name, (counts.get(name) ?? 0) + 1)
  for (const [school, entry] of await readEntries(pack, said)) {
    if (!entry) more(sealed, school)
    else if (entry.kind === 'pack-asked' && entry.facts.pack === manifest.pack) asked.add(school)
    else if (entry.kind === 'disposed') disposals.add(`${school} ${entry.record}`)
    else if (entry.kind === 'completion') {
      completions.set(entry.record, entry)
      more(numbers, `${school} ${recordsOf(entry.facts)}`)
    }
  }
  for (const [school, one] of said) {
    const wanted = manifest.records.map((records) => [records, one.records[records] ?? 0])
    if (manifest.audience === 'governors') {
      const [found, expected] = [sealed.get(school) ?? 0, wanted.reduce((sum, [, number]) => sum + number, 0)]
      const records = wanted.map(([name]) => name).sort().join(', ')
      if (found !== expected) pack.add('records-differ', { school, records, found, expected })
    } else {
      for (const [records, expected] of wanted) {
        const found = numbers.get(`${school} ${records}`) ?? 0
        if (found !== expected) pack.add('records-differ', { school, records, found, expected })
      }
    }
    if (!asked.has(school)) pack.add('export-unrecorded', { school })
  }
  for (const entry of completions.values()) checkValues(pack, entry, manifest.audience === 'managers', disposals)
  return completions
}

// What is not disclosed was erased, and what was erased was recorded as such.
function checkValues (pack, { sequence, school, personal, disclosed, erased }, isOpen, disposals) {
  const where = { entry: sequence, school }
  for (const field of isOpen ? VALUES : []) {
    if (Object.hasOwn(personal, field) && !Object.hasOwn(disclosed, field) && !Object.hasOwn(erased, field)) pack.add('value-withheld', { ...where, field })
  }
  for (const field of Object.keys(erased).sort()) {
    const isRecorded = disposals.has(`${school} ${erased[field]}`)
    if (!isRecorded || !Object.hasOwn(personal, field) || Object.hasOwn(disclosed, field)) pack.add('erasure-unrecorded', { ...where, field })
  }
}

async function readEntries (pack, said) {
  const found = []
  let last = ['', 0]
  let source = ''
  try {
    source = text(pack.files.get(ENTRIES) ?? new Uint8Array())
  } catch {
    pack.add('unreadable', { file: ENTRIES })
  }
  for (const [at, line] of source.split('\n').slice(0, -1).entries()) {
    let one
    try {
      one = fieldsOf(JSON.parse(line))
    } catch {
      pack.add('entry-unreadable', { file: ENTRIES, line: at + 1 })
      continue
    }
    const { school, sequence, path, sealed, body, disclosed, erased } = one
    const where = { entry: sequence, school }
    const isAfter = school > last[0] || (school === last[0] && sequence > last[1])
    if (isAfter) last = [school, sequence]
    else pack.add('entry-order', { file: ENTRIES, line: at + 1, ...where })
    const hash = body ? await sha256(encoder.encode(body)) : sealed
    const root = await rootBy(path, await leafHash(hash), sequence - 1, said.get(school)?.size ?? 0)
    const entry = body ? await entryOf(pack, body, where, disclosed, erased) : null
    if (!root || hex(root) !== said.get(school).root || (body && !entry)) pack.add('entry-altered', where)
    else found.push([school, entry])
  }
  return found
}

function fieldsOf (found) {
  const [body, disclosed, erased] = [found.entry ?? '', found.disclosed ?? {}, found.erased ?? {}]
  const isRight = typeof found.school === 'string' && Number.isInteger(found.sequence) &&
    typeof body === 'string' && isObject(disclosed) && Array.isArray(found.path) &&
    isObject(erased) && Object.values(erased).every((record) => typeof record === 'string')
  if (!isRight) throw new TypeError()
  return {
    school: found.school, sequence: found.sequence, path: found.path.map(unhex),
    sealed: unhex(found.hash ?? ''), body, disclosed, erased
  }
}

async function entryOf (pack, body, { entry: sequence, school }, given, erased) {
  let said
  try {
    said = JSON.parse(body)
    object(said.facts)
    object(said.personal)
    if (typeof said.kind !== 'string' || typeof said.record !== 'string' || said.school !== school || said.sequence !== sequence) return null
  } catch {
    return null
  }
  const disclosed = {}
  for (const field of Object.keys(given).sort()) {
    let isRecorded = false
    try {
      const { salt, value } = given[field]
      const opened = hex(await sha256(join(unhex(salt), encoder.encode(value))))
      isRecorded = typeof value === 'string' && opened === said.personal[field]
      disclosed[field] = JSON.parse(value)
    } catch {
      isRecorded = false
    }
    if (!isRecorded) pack.add('disclosure-false', { entry: sequence, school, field })
  }
  return { school, sequence, kind: said.kind, record: said.record, facts: said.facts, personal: said.personal, disclosed, erased }
}

async function checkTables (pack, manifest, said, known) {
  for (const table of manifest.tables) {
    const [name, columns] = [table.file, (table.columns ?? []).map(String)]
    if (!pack.files.has(name)) continue
    let written
    try {
      written = rowsOfCsv(pack.files.get(name))
    } catch {
      pack.add('unreadable', { file: name })
      continue
    }
    if (!written.length || written.some((row) => row.length !== columns.length)) {
      pack.add('columns-differ', { file: name })
      continue
    }
    if (written.length - 1 !== table.rows) {
      pack.add('rows-differ', { file: name, found: written.length - 1, expected: String(table.rows) })
    }
    const rows = written.slice(1).map((row) => Object.fromEntries(columns.map((column, at) => [column, row[at]])))
    let expected = 1
    for (const [at, row] of rows.entries()) {
      const found = row.row ?? ''
      if (found !== String(expected)) pack.add('row-order', { file: name, line: at + 2, found, expected })
      expected = (/^\d{1,9}$/.test(found) ? Number(found) : expected) + 1
    }
    const titles = Object.fromEntries(columns.map((column, at) => [column, written[0][at]]))
    if (table.kind === 'list') checkList(pack, name, titles, rows, known)
    else checkCounts(pack, manifest, rows, said)
    await checkSheet(pack, table, written)
  }
}

function checkList (pack, name, titles, rows, known) {
  const missing = new Map(known)
  for (const row of rows) {
    if (!row.record) continue
    const entry = known.get(row.record)
    missing.delete(row.record)
    if (!entry) {
      pack.add('row-added', { file: name, row: row.row ?? '' })
      continue
    }
    for (const [column, expected] of saidByEntry(entry)) {
      const found = row[column]
      if (found !== undefined && !isCell(found, expected)) {
        pack.add('cell-differs', { file: name, row: row.row ?? '', column: titles[column], found, expected })
      }
    }
  }
  for (const entry of missing.values()) {
    pack.add('row-missing', { file: name, entry: entry.sequence, school: entry.school })
  }
}

function * saidByEntry ({ sequence, facts, disclosed }) {
  yield ['entry', String(sequence)]
  yield ['key', recordsOf(facts)]
  if (isObject(facts.declaration)) {
    const { signed_on: day, signed_at_local: moment, method } = facts.declaration
    yield ['declared_on', String(day || (moment ?? '')).slice(0, 10)]
    if (method !== undefined) yield ['method', String(method)]
  }
  if (isObject(facts.policy)) yield ['version', String(facts.policy.number ?? '')]
  if ('printed_name' in disclosed) yield ['signed_as', String(disclosed.printed_name)]
  if ('score' in disclosed) yield ['score', String(disclosed.score)]
}

function checkCounts (pack, manifest, rows, said) {
  const named = new Map(manifest.schools.map((one) => [one.name, one.id]))
  for (const row of rows) {
    const school = named.get(row.school) ?? ''
    if (!said.has(school) || row.records === undefined) continue
    const [records, found] = [row.key ?? '', row.records]
    const expected = String(said.get(school).records[records] ?? 0)
    if (found !== expected) pack.add('records-differ', { school, records, found, expected })
  }
}

async function checkSheet (pack, table, written) {
  if (!pack.files.has(WORKBOOK)) return
  const where = { file: WORKBOOK, table: table.file }
  let sheet
  try {
    sheet = await rowsOfSheet(pack.files.get(WORKBOOK), String(table.sheet))
  } catch {
    pack.add('unreadable', { file: `${WORKBOOK}, ${table.sheet}` })
    return
  }
  const there = new Map(sheet.filter((row) => row.length).reverse().map((row) => [row[0], row]))
  for (const row of written) {
    if (!there.has(row[0])) {
      pack.add('workbook-row-missing', { ...where, row: row[0] })
      continue
    }
    const other = there.get(row[0])
    there.delete(row[0])
    for (let column = 0; column < Math.max(other.length, row.length); column++) {
      const [found, expected] = [other[column] ?? '', row[column] ?? '']
      if (isCell(expected, found)) continue
      const title = column < row.length ? written[0][column] : String(column + 1)
      pack.add('workbook-differs', { ...where, row: row[0], column: title, found, expected })
    }
  }
  for (const row of there.keys()) pack.add('workbook-row-added', { ...where, row })
  if (sheet.length > written.length) {
    pack.add('workbook-rows', { ...where, found: sheet.length - 1, expected: written.length - 1 })
  }
}

// The page
const WORDS = JSON.parse(document.getElementById('words').textContent)
const element = (id) => document.getElementById(id)
const worded = (finding) => WORDS.findings[finding.code].replace(/\{(\w+)\}/g, (_, name) => finding.where[name])

function line (tag, words, parent) {
  const made = document.createElement(tag)
  made.textContent = words
  parent.append(made)
  return made
}

function show (report) {
  const result = element('result')
  result.replaceChildren()
  result.className = `result ${report.verdict}`
  line('h2', WORDS.verdicts[report.verdict], result).tabIndex = -1
  line('p', WORDS.explained[report.verdict], result)
  if (report.erased) line('p', WORDS.erased.replace('{number}', report.erased), result)
  const list = line('ul', '', result)
  for (const finding of report.findings) line('li', worded(finding), list)
  if (!report.findings.length) list.remove()
  if (report.manifest) {
    const facts = line('dl', '', result)
    const { schools, audience, cycle, made_at: madeAt } = report.manifest
    const rows = [
      [WORDS.facts.schools, schools.map((one) => one.name).join(', ')], [WORDS.facts.cycle, cycle],
      [WORDS.facts.audience, WORDS.audiences[audience] ?? audience], [WORDS.facts.made, madeAt],
      ...Object.entries(report.codes).map(([school, code]) => [`${WORDS.facts.code} (${school})`, code]),
      [WORDS.facts.key, report.fingerprint ? shownFingerprint(report.fingerprint) : '']
    ]
    for (const [name, value] of rows) {
      line('dt', name, facts)
      line('dd', value, facts)
    }
  }
  result.hidden = false
  result.querySelector('h2').focus()
}

function say (words) {
  const result = element('result')
  result.className = 'result'
  result.replaceChildren()
  line('p', words, result)
  result.hidden = false
}

element('check').addEventListener('submit', async (event) => {
  event.preventDefault()
  const [file] = element('pack').files
  const known = element('known').value.trim()
  if (!file) return say(WORDS.choose)
  say(WORDS.checking)
  try {
    await crypto.subtle.importKey('raw', new Uint8Array(32).fill(1), { name: 'Ed25519' }, false, ['verify'])
  } catch (fault) {
    if (!crypto.subtle || fault.name === 'NotSupportedError') return say(WORDS.old)
  }
  const data = new Uint8Array(await file.arrayBuffer())
  show(await check(data, isFingerprint(known) ? { key: known } : { code: known }))
})
window.clausewayCheck = check
