/**
 * Lingsou in the browser: the public HTTP API as an ES module without dependencies.
 *
 *   import { Lingsou } from "https://search.example/static/lingsou.js";
 *   const shop = new Lingsou("https://search.example");
 *   const answer = await shop.search({ q: "蓝色T恤", filters: { price: { lte: 100 } }, facets: ["brand"] });
 *
 * From another origin than the service, the service must allow it: server.cors_origins.
 */

/** What went wrong: `status` (0 without an answer), `slug`, `field`, and `cure`, as the service said it. */
export class LingsouError extends Error {
  constructor(message, { status = 0, slug = "unreachable", field = null, cure = null } = {}) {
    super(message);
    this.name = "LingsouError";
    Object.assign(this, { status, slug, field, cure });
  }
}

export class Lingsou {
  /**
   * @param {string} baseUrl where `lingsou serve` answers; empty: the page's own origin
   * @param {{timeout?: number}} options milliseconds until a request is given up
   */
  constructor(baseUrl = "", { timeout = 10000 } = {}) {
    this.baseUrl = baseUrl.replace(/\/$/, "");
    this.timeout = timeout;
  }

  /** Search. `request` has the fields of POST /v1/search: q, filters, facets, sort, page, page_size, … */
  search(request = {}, options = {}) {
    return this.#ask("/v1/search", { method: "POST", body: JSON.stringify(request), headers: { "Content-Type": "application/json" } }, options);
  }

  /** Completions of what is being typed, in groups. */
  suggest(q, { limit = 10, userId = "", ...options } = {}) {
    const parameters = new URLSearchParams({ q, limit, ...(userId && { user_id: userId }) });
    return this.#ask(`/v1/suggest?${parameters}`, {}, options);
  }

  /** Products that nobody searched for. `request` has the fields of POST /v1/recommend: kind, n, items, context, … */
  recommend(request = {}, options = {}) {
    return this.#ask("/v1/recommend", { method: "POST", body: JSON.stringify(request), headers: { "Content-Type": "application/json" } }, options);
  }

  /** Products nearest in meaning to one; `filter` in the short form, such as "stock=1..". */
  similar(id, { limit = 12, filter = [], ...options } = {}) {
    const parameters = new URLSearchParams([["limit", limit], ...[].concat(filter).map((each) => ["filter", each])]);
    return this.#ask(`/v1/similar/${path(id)}?${parameters}`, {}, options);
  }

  /** One product as it is stored. */
  product(id, options = {}) {
    return this.#ask(`/v1/products/${path(id)}`, {}, options);
  }

  /** What a query means to this shop, without searching. */
  understand(q, options = {}) {
    return this.#ask(`/v1/understand?${new URLSearchParams({ q })}`, {}, options);
  }

  async #ask(address, request, { signal } = {}) {
    const limit = AbortSignal.timeout(this.timeout);
    let answer;
    try {
      answer = await fetch(this.baseUrl + address, { ...request, signal: signal ? AbortSignal.any([signal, limit]) : limit });
    } catch (error) {
      if (signal?.aborted) throw error; // the caller gave up: an AbortError, as from fetch
      throw new LingsouError("The search service did not answer.", { cure: "Try again in a moment." });
    }
    const body = await answer.json().catch(() => null);
    if (answer.ok && body !== null) return body;
    const problem = body ?? {};
    throw new LingsouError(problem.detail ?? `The service answered ${answer.status}.`, {
      status: answer.status,
      slug: String(problem.type ?? "internal-error").split(":").pop(),
      field: problem.field ?? null,
      cure: problem.cure ?? null,
    });
  }
}

function path(id) {
  return String(id).split("/").map(encodeURIComponent).join("/");
}
