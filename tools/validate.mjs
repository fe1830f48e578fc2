// Checks what stands on standard input, as JSON, with Microsoft's own schemas and parsers, and
// writes a line for each fault:   node tools/validate.mjs manifest|card
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const given = JSON.parse(readFileSync(0, 'utf-8'))

// The JSON schema that @microsoft/app-manifest publishes for the version the manifest names.
function manifest () {
  const Ajv = require('ajv-draft-04')
  const ajv = new Ajv({ allErrors: true, strict: false })
  require('ajv-formats')(ajv, ['uri', 'email', 'regex'])
  const home = require.resolve('@microsoft/app-manifest').replace(/build\/.*/, 'build/json-schemas')
  const schema = `${home}/teams/v${given.manifestVersion}/MicrosoftTeams.schema.json`
  const check = ajv.compile(JSON.parse(readFileSync(schema, 'utf-8')))
  check(given)
  return (check.errors ?? []).map((one) => `${one.instancePath} ${one.message}`)
}

// Microsoft's parser of Adaptive Cards knows each element's properties, and since which version.
// What it does not know it drops without a word, so what it read is held against what was given.
function card () {
  const cards = require('adaptivecards/dist/adaptivecards.js')
  const context = new cards.SerializationContext(cards.Version.parse(given.version, undefined))
  const parsed = new cards.AdaptiveCard()
  parsed.parse(given, context)
  const found = parsed.validateProperties().validationEvents
  const events = [...Array(context.eventCount).keys()].map((place) => context.getEventAt(place))
  return [...events, ...found].map((one) => one.message).concat(dropped(given, parsed.toJSON()))
}

function dropped (given, kept, path = '') {
  if (typeof given !== 'object' || given === null) return given === kept ? [] : [`${path} is unknown`]
  return Object.entries(given).flatMap(([name, value]) => dropped(value, kept?.[name], `${path}/${name}`))
}

for (const line of { manifest, card }[process.argv[2]]()) console.log(line)
