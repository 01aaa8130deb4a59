'use strict';

class Problem extends Error {
  constructor(status, code, detail, more = {}) {
    super(detail);
    Object.assign(this, { status, code, detail, more });
  }
}

function sendProblem(res, error) {
  const body = { type: 'about:blank', status: error.status, code: error.code, detail: error.detail, ...error.more };
  res.statusCode = error.status;
  res.setHeader('Content-Type', 'application/problem+json');
  res.end(JSON.stringify(body));
}

module.exports = { Problem, sendProblem };
