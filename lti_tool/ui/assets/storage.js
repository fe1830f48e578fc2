// Where a browser keeps no cookie of ours inside a learning platform, the platform itself may keep
// what ties a launch to its login, and be asked for it by messages between windows (1EdTech LTI
// postMessage Storage 0.1). Whatever goes wrong, the page goes on without, after little more than a
// second at most.
//
// <div data-storage-target="_parent" data-storage-url="https://platform…" data-storage-key="…"
//   data-storage-value="…"><a href="…">                                     keep this, then go on
// <form data-storage-target=… data-storage-url=… data-storage-key=…><input name="storage">   ask
const ASKING = 400 // milliseconds
const KEEPING = 800
const place = document.querySelector('[data-storage-key]')
const { storageTarget, storageUrl, storageKey: key, storageValue: value } = place.dataset
const origin = new URL(storageUrl).origin
const platform = window.parent === window ? window.opener : window.parent

// The platform's answer, or undefined. Nothing else in the browser can give an answer that
// passes: the number of the question is known to whoever was asked.
function ask (target, targetOrigin, question, patience, isAnswer) {
  return new Promise((resolve) => {
    const number = crypto.randomUUID()
    function listen (event) {
      const { subject, message_id: answered } = event.data ?? {}
      if (subject === `${question.subject}.response` && answered === number && isAnswer(event)) {
        end(event.data)
      }
    }
    function end (answer) {
      clearTimeout(timer)
      window.removeEventListener('message', listen)
      resolve(answer)
    }
    const timer = setTimeout(end, patience)
    window.addEventListener('message', listen)
    target.postMessage({ ...question, message_id: number }, targetOrigin)
  })
}

// A frame of the platform's by its name, or the platform's own window where there is none.
function frameNamed (name) {
  try {
    const frame = platform.frames[name]
    return typeof frame.postMessage === 'function' ? frame : platform
  } catch {
    return platform
  }
}

// The window that keeps things. Whoever shows us may answer this one question, as only the
// address of the platform's login is known; what it names is told nothing unless it is there.
async function storage (subject) {
  if (storageTarget !== '_parent') return frameNamed(storageTarget)
  const isFromPlatform = (event) => event.source === platform
  const answer = await ask(platform, '*', { subject: 'lti.capabilities' }, ASKING, isFromPlatform)
  const known = answer?.supported_messages?.find?.((one) => one?.subject === subject)
  return known?.frame ? frameNamed(known.frame) : platform
}

async function exchange (question) {
  try {
    const isOurs = (event) => event.origin === origin
    const answer = await ask(await storage(question.subject), origin, question, KEEPING, isOurs)
    return answer?.key === key && !answer.error && typeof answer.value === 'string'
      ? answer.value
      : ''
  } catch {
    return '' // no platform around us, or a window that has gone
  }
}

if (place instanceof HTMLFormElement) {
  let isSent = false
  place.addEventListener('submit', () => { isSent = true })
  const kept = await exchange({ subject: 'lti.get_data', key })
  if (!isSent) {
    place.elements.storage.value = kept
    place.querySelector('button').disabled = true
    place.submit()
  }
} else {
  await exchange({ subject: 'lti.put_data', key, value })
  window.location.replace(place.querySelector('a').href)
}
