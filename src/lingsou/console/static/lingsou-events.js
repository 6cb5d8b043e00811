/* Sends what shoppers do to a Lingsou service. No dependencies, no cookies.
 *
 *   <script src="/static/lingsou-events.js" data-endpoint="https://search.shop.example/v1/events" defer></script>
 *
 *   lingsou.search(queryId, text)                       a search was answered
 *   lingsou.observe(element, {id, ordinal, queryId})    count an impression once half of it was seen for a second
 *   lingsou.click(id, {ordinal, queryId})               also: detail, cart, purchase, rating, review, adImpression, adClick
 *   lingsou.track(actionName, {id, ordinal, queryId, text, attributes})
 *   lingsou.identify(userId)                            after a login; null after a logout
 *
 * Elements with data-lingsou-id (and data-lingsou-ordinal, data-lingsou-query) are observed and their clicks are
 * sent without a line of code; call lingsou.scan() after adding some. Where the browser says Do Not Track or Global
 * Privacy Control, nothing is stored and nothing is sent.
 */
(function () {
  "use strict";
  var script = document.currentScript;
  var ENDPOINT = (script && script.dataset.endpoint) || "/v1/events";
  var APPLICATION = (script && script.dataset.application) || "storefront";
  var BATCH = 50, KEPT = 500, DELAY = 2000, FIRST_RETRY = 2000, LAST_RETRY = 300000, SEEN_MS = 1000;
  var QUEUE = "lingsou.queue", CLIENT = "lingsou.client", SESSION = "lingsou.session", GAP = 30 * 60 * 1000;
  var refused = navigator.globalPrivacyControl === true ||
    [navigator.doNotTrack, window.doNotTrack].some(function (said) { return said === "1" || said === "yes"; });
  var queue = [], sending = false, timer = null, retry = FIRST_RETRY, user = null, lastQuery = null;

  function read(store, key) {
    try { return JSON.parse(store.getItem(key)); } catch (error) { return null; }
  }
  function write(store, key, value) {
    try { store.setItem(key, JSON.stringify(value)); } catch (error) { /* full or forbidden: memory alone */ }
  }
  function random() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.prototype.map.call(bytes, function (b) { return ("0" + b.toString(16)).slice(-2); }).join("");
  }
  function client() {
    var id = read(localStorage, CLIENT);
    if (!id) write(localStorage, CLIENT, id = random());
    return id;
  }
  function session() {
    var now = Date.now(), known = read(localStorage, SESSION);
    var id = known && now - known.seen < GAP ? known.id : random();
    write(localStorage, SESSION, { id: id, seen: now });
    return id;
  }

  function track(action, about) {
    if (refused) return;
    about = about || {};
    var attributes = Object.assign({}, about.attributes);
    if (about.id != null) attributes.object = { object_id: String(about.id), object_id_field: "id" };
    if (about.ordinal != null) attributes.position = { ordinal: Number(about.ordinal) };
    ["rating", "quantity", "price"].forEach(function (name) {
      if (about[name] != null) attributes[name] = Number(about[name]);
    });
    var event = {
      event_id: random(), application: APPLICATION, action_name: action, timestamp: new Date().toISOString(),
      client_id: client(), session_id: session(), event_attributes: attributes
    };
    var query = about.queryId || (about.queryId === undefined ? lastQuery : null);
    if (query) event.query_id = query;
    if (user) event.user_id = user;
    if (about.text) event.message = String(about.text).slice(0, 4000);
    queue.push(event);
    if (queue.length > KEPT) queue.splice(0, queue.length - KEPT);
    write(localStorage, QUEUE, queue);
    schedule(queue.length >= BATCH ? 0 : DELAY);
  }
  function schedule(delay) {
    if (timer !== null || sending) return;
    timer = setTimeout(function () { timer = null; send(); }, delay);
  }
  function sent(batch) {
    var ids = new Set(batch.map(function (event) { return event.event_id; }));
    queue = queue.filter(function (event) { return !ids.has(event.event_id); });
    write(localStorage, QUEUE, queue);
  }
  function send() {
    if (refused || sending || !queue.length) return;
    var batch = queue.slice(0, BATCH);
    sending = true;
    // text/plain: across origins a browser sends it without asking first.
    fetch(ENDPOINT, {
      method: "POST", body: JSON.stringify(batch), headers: { "Content-Type": "text/plain" },
      keepalive: true, credentials: "omit"
    }).then(function (answer) {
      // What the service refuses as wrong will not become right; a busy or broken service may be back later.
      if (answer.ok || (answer.status >= 400 && answer.status < 500 && answer.status !== 429)) {
        sent(batch); retry = FIRST_RETRY; sending = false;
        if (queue.length) schedule(0);
      } else { later(); }
    }, later);
  }
  function later() {
    sending = false;
    schedule(retry * (0.5 + Math.random()));
    retry = Math.min(2 * retry, LAST_RETRY);
  }
  function leave() {
    if (refused || !queue.length || !navigator.sendBeacon) return;
    var batch = queue.slice(0, BATCH);
    // A beacon says nothing about success: the batch stays, and its event ids keep a second sending harmless.
    navigator.sendBeacon(ENDPOINT, new Blob([JSON.stringify(batch)], { type: "text/plain" }));
  }

  var watched = new WeakMap();
  var observer = "IntersectionObserver" in window && new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      var state = watched.get(entry.target);
      if (!state) return;
      clearTimeout(state.timer);
      if (!entry.isIntersecting) return;
      state.timer = setTimeout(function () {
        observer.unobserve(entry.target);
        track("impression", state.about);
      }, SEEN_MS);
    });
  }, { threshold: 0.5 });
  function observe(element, about) {
    if (refused || !observer || watched.has(element)) return;
    watched.set(element, { about: about, timer: null });
    observer.observe(element);
  }
  function about(element) {
    var data = element.dataset;
    return { id: data.lingsouId, ordinal: data.lingsouOrdinal, queryId: data.lingsouQuery };
  }
  function scan(root) {
    (root || document).querySelectorAll("[data-lingsou-id]").forEach(function (element) {
      observe(element, about(element));
    });
  }

  var api = {
    track: track, observe: observe, scan: scan, flush: send, enabled: !refused,
    identify: function (id) { user = id == null ? null : String(id); },
    search: function (queryId, text) { lastQuery = queryId; track("query", { queryId: queryId, text: text }); }
  };
  ["click", "detail", "cart", "purchase", "rating", "review"].forEach(function (action) {
    api[action] = function (id, more) { track(action, Object.assign({ id: id }, more)); };
  });
  api.adImpression = function (id, more) { track("ad_impression", Object.assign({ id: id }, more)); };
  api.adClick = function (id, more) { track("ad_click", Object.assign({ id: id }, more)); };
  window.lingsou = api;
  if (refused) return;

  queue = read(localStorage, QUEUE) || [];
  if (!Array.isArray(queue)) queue = [];
  if (queue.length) schedule(DELAY);
  document.addEventListener("click", function (event) {
    var element = event.target instanceof Element && event.target.closest("[data-lingsou-id]");
    if (element && event.target.closest("a, button")) track("click", about(element));
  }, true);
  addEventListener("online", function () { retry = FIRST_RETRY; send(); });
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", function () { if (document.visibilityState === "hidden") leave(); });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", function () { scan(); });
  else scan();
})();
