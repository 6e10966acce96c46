import { expect, it } from 'vitest';

import { asProblem, toProblem } from './problem';

it('reads a problem document', () => {
  const body = {
    title: 'Invalid body',
    status: 422,
    detail: 'The body does not have the expected form.',
    code: 'invalid_body',
    request_id: 'r1',
    errors: [{ pointer: '/name', detail: 'too long' }, { pointer: 7 }],
  };
  const problem = toProblem(body, new Response(null, { status: 422, headers: { 'retry-after': '45' } }));
  expect(problem).toMatchObject({
    status: 422,
    code: 'invalid_body',
    message: 'The body does not have the expected form.',
    retryAfter: 45,
    requestId: 'r1',
    fields: [{ pointer: '/name', detail: 'too long' }],
    isOutage: false,
  });
});

it('makes the best of an answer that is no problem document', () => {
  const page = toProblem('<h1>Bad gateway</h1>', new Response(null, { status: 502, headers: { 'x-request-id': 'r2' } }));
  expect(page).toMatchObject({ message: 'The server answered with status 502.', requestId: 'r2', isOutage: true });
  const odd = toProblem({ detail: 5, errors: 'none' }, new Response(null, { status: 400, headers: { 'retry-after': 'soon' } }));
  expect(odd).toMatchObject({ message: 'The server answered with status 400.', retryAfter: null, fields: [] });
});

it('tells an absent server from a wrong request', () => {
  expect(toProblem(new TypeError('fetch failed'), undefined)).toMatchObject({ status: 0, isOutage: true });
});

it('does not pass a defect of the panel off as an outage', () => {
  expect(asProblem(new Error('undefined is not a function'))).toMatchObject({ status: -1, isOutage: false });
});
