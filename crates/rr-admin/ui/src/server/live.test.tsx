import { act, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';

import * as demo from '../testing/demo';
import { FakeServer, json } from '../testing/fake-server';
import { renderApp } from '../testing/render';

class FakeSource extends EventTarget {
  static readonly CLOSED = 2;
  static all: FakeSource[] = [];
  readyState = 1;

  constructor(readonly url: string) {
    super();
    FakeSource.all.push(this);
  }

  close() {
    this.readyState = FakeSource.CLOSED;
  }

  send(kind: string, data: unknown) {
    act(() => void this.dispatchEvent(new MessageEvent(kind, { data: JSON.stringify(data) })));
  }
}

beforeEach(() => {
  FakeSource.all = [];
  vi.stubGlobal('EventSource', FakeSource);
});

async function opened() {
  await screen.findByText('alert');
  await waitFor(() => expect(FakeSource.all).toHaveLength(1));
  const [source] = FakeSource.all as [FakeSource];
  expect(source.url).toBe('/api/devops/stream');
  return source;
}

it('shows an event when it happens, once, above the others', async () => {
  const fake = new FakeServer();
  renderApp();
  const source = await opened();
  const before = fake.callsTo('GET /api/devops/events').length;
  source.send('event', demo.event);
  source.send('event', { ...demo.event, id: 'e2', event_type: 'deployment' });
  await screen.findByText('deployment');
  const list = screen.getByText('deployment').closest('ul');
  expect([...(list?.children ?? [])].map((row) => row.textContent?.match(/deployment|alert/)?.[0])).toEqual([
    'deployment',
    'alert',
  ]);
  expect(fake.callsTo('GET /api/devops/events')).toHaveLength(before);
});

it('shows figures when they change', async () => {
  new FakeServer();
  const { client } = renderApp();
  const source = await opened();
  source.send('figures', { dashboard: { ...demo.dashboard, users: { total: 31, growthRate: 0, trend: 'up' } } });
  expect(client.getQueryData(['data', 'dashboard'])).toMatchObject({ users: { total: 31 } });
  expect(client.getQueryData(['data', 'revenue'])).toMatchObject({ total_revenue: 47 });
});

it('reads the list again when more comes than fits, and when the stream begins anew', async () => {
  const fake = new FakeServer();
  renderApp();
  const source = await opened();
  fake.on('GET /api/devops/events', () =>
    json({ events: [{ ...demo.event, id: 'new', event_type: 'from the list' }], next_cursor: null }),
  );
  for (let n = 0; n < 150; n++) source.send('event', { ...demo.event, id: `e${n}`, event_type: 'flood' });
  await screen.findByText('from the list');
  expect(screen.queryByText('flood')).toBeNull();

  const before = fake.callsTo('GET /api/devops/events').length;
  act(() => void source.dispatchEvent(new Event('open')));
  await waitFor(() => expect(fake.callsTo('GET /api/devops/events')).toHaveLength(before + 1));
});

it('tries again later when it is refused, and lets go of it while nobody looks', async () => {
  new FakeServer();
  renderApp();
  const source = await opened();
  vi.useFakeTimers();
  source.readyState = FakeSource.CLOSED;
  source.dispatchEvent(new Event('error'));
  vi.advanceTimersByTime(29_000);
  expect(FakeSource.all).toHaveLength(1);
  vi.advanceTimersByTime(2_000);
  expect(FakeSource.all).toHaveLength(2);

  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(true);
  document.dispatchEvent(new Event('visibilitychange'));
  expect(FakeSource.all[1]?.readyState).toBe(FakeSource.CLOSED);
  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event('visibilitychange'));
  expect(FakeSource.all).toHaveLength(3);
  hidden.mockRestore();
});
