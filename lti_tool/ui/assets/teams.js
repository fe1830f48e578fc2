// Inside Microsoft Teams: follow its theme, and on the pages that have a [data-teams] sign in with
// the token Teams gives for whoever is there. Nothing else that Teams says of its user is believed:
// the token is checked by the server, and it alone says who it is.
import './teams-sdk.js'

const { app, authentication, pages } = window.microsoftTeams
const root = document.documentElement
const door = document.querySelector('[data-teams]')
const PATIENCE = 8000 // milliseconds until we believe that no Teams is around us
const THEMES = { dark: 'dark', contrast: 'contrast', glass: 'dark' }
// What getAuthToken says, by the words of Entra's and Teams' own errors.
const FAILURES = [
  ['assignment', /50105/],
  ['consent', /consent|65001/i],
  ['access', /mfa|50076|50079|53003|530\d\d|interaction/i],
  ['registration', /resourceDisabled|500011|700016|650057|invalid_resource/i],
  ['cancelled', /cancel|FailedToOpenWindow/i]
]

// The server draws the next page in the same theme: it reads the cookie, which is kept apart for
// Teams as all our cookies are.
function follow (theme) {
  const name = THEMES[theme] ?? ''
  if (name) root.dataset.theme = name
  else delete root.dataset.theme
  const life = name ? 31536000 : 0
  document.cookie = `clauseway-theme=${name}; Path=/; Max-Age=${life}; Secure; SameSite=None; Partitioned`
}

function show (when, said = '') {
  for (const part of door.querySelectorAll('[data-when]')) part.hidden = part.dataset.when !== when
  door.querySelector('[data-again]').hidden = when === 'waiting' || when === 'outside'
  const words = door.querySelector(`[data-when=${when}] .cw-said`)
  if (words) words.textContent = said
}

// A page of ours in answer to something we sent: what it says takes the place of what is here.
function put (html) {
  const page = new DOMParser().parseFromString(html, 'text/html')
  document.title = page.title
  document.querySelector('main').replaceChildren(...page.querySelector('main').childNodes)
}

async function knock (context) {
  const given = Object.entries(door.dataset).filter(([name]) => name.startsWith('field'))
  const fields = new URLSearchParams(given.map(([name, value]) => [name.slice(5).toLowerCase(), value]))
  fields.set('place', context.page?.subPageId ?? '')
  let token
  try {
    token = await authentication.getAuthToken()
  } catch (fault) {
    const said = String(fault?.message ?? fault)
    const found = FAILURES.find(([, words]) => words.test(said))
    show(found ? found[0] : 'other', /AADSTS\d+/.exec(said)?.[0] ?? '')
    return null
  }
  try {
    const headers = { Authorization: `Bearer ${token}` }
    return await fetch(door.dataset.url, { method: 'POST', headers, body: fields })
  } catch {
    show('lost')
    return null
  }
}

// The configuration of a channel's tab: Teams saves it when its own button is pressed.
function letChoose (form) {
  const chosen = (name) => form.elements[name] && new FormData(form).get(name)
  const judge = () => pages.config.setValidityState(Boolean(chosen('school') && chosen('module')))
  form.addEventListener('change', judge)
  pages.config.registerOnSaveHandler(async (save) => {
    const [school, module] = [chosen('school'), chosen('module')]
    const url = `${form.dataset.tabUrl}?${new URLSearchParams({ school, module })}`
    const label = form.querySelector(`[name=module][value="${CSS.escape(module)}"]`).labels[0]
    try {
      await pages.config.setConfig({
        entityId: `${module}@${school}`,
        contentUrl: url,
        websiteUrl: url,
        suggestedDisplayName: label.textContent.trim()
      })
      save.notifySuccess()
    } catch (fault) {
      save.notifyFailure(String(fault?.message ?? fault))
    }
  })
  judge()
}

async function begin () {
  let context
  try {
    const hosts = (root.dataset.hosts ?? '').split(' ').filter(Boolean)
    const silence = new Promise((resolve, reject) => setTimeout(reject, PATIENCE))
    await Promise.race([app.initialize(hosts), silence])
    context = await app.getContext()
  } catch {
    if (door) show('outside')
    return
  }
  follow(context.app.theme)
  app.registerOnThemeChangeHandler(follow)
  if (!door) return app.notifySuccess()
  const answer = await knock(context)
  if (!answer?.ok) {
    if (answer) put(await answer.text())
    return app.notifyFailure({ reason: app.FailedReason.AuthFailed })
  }
  app.notifySuccess()
  if (door.dataset.teams === 'enter') return location.replace((await answer.json()).next)
  put(await answer.text())
  const form = document.querySelector('form[data-tab-url]')
  if (form) letChoose(form)
}

door?.querySelector('[data-again]').addEventListener('click', () => location.reload())
await begin()
