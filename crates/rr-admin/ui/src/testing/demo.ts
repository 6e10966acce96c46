// The demo data as the server's endpoints give it.

import type {
  CommissionFigures,
  Dashboard,
  Delivery,
  DeliveryFigures,
  Event,
  Key,
  RevenueFigures,
  Series,
  SignedInUser,
  Source,
  UserFigures,
} from '../server/calls';

const at = '2026-11-22T12:00:00Z';
/** What every answer made of figures ends with. */
const version = { as_of: at, seq: 7 };

export const user: SignedInUser = { id: '0190c000-0000-7000-8000-000000000001', email: 'admin@example.com', role: 'admin' };

export const dashboard: Dashboard = {
  users: { total: 2, growthRate: 0, trend: 'stable' },
  revenue: { total: 47, growthRate: 0, trend: 'stable' },
  ...version,
};

export const delivery: Delivery = {
  service: 'shop',
  environment: 'production',
  deployments: 8,
  failed_deployments: 1,
  harmful_deployments: 1,
  unplanned_deployments: 0,
  deployment_days_per_week: 2.5,
  change_lead_time_s: 46_800,
  change_fail_rate: 12.5,
  recovery_time_s: 5_400,
  rework_rate: null,
  incidents: { total: 2, open: 1, by_id: 1, by_chain: 0, by_artifact: 0, by_rollback: 0, by_time: 0, unlinked: 1 },
  weeks: [
    { start: '2026-11-08T12:00:00Z', deployments: 3, deployment_days: 2, harmful_deployments: 1 },
    { start: '2026-11-15T12:00:00Z', deployments: 5, deployment_days: 3, harmful_deployments: 0 },
  ],
  links: [
    {
      incident: '0190c000-0000-7000-8000-000000000101',
      detected_at: '2026-11-11T12:00:00Z',
      deployment: '0190c000-0000-7000-8000-000000000102',
      deployed_at: '2026-11-11T10:00:00Z',
      link: 'id',
      confidence: 'high',
    },
  ],
};

export const dora: DeliveryFigures = {
  from: '2026-08-23T12:00:00Z',
  to: at,
  services: [delivery],
  incidents_without_service: 0,
};

export const users: UserFigures = {
  timestamp: at,
  total_users: 2,
  users_by_role: { admin: 1, member: 1 },
  users_by_status: { active: 2 },
  recent_signups: 0,
  ...version,
};

export const revenue: RevenueFigures = {
  timestamp: at,
  currency: 'USD',
  total_revenue: 47,
  subscription_revenue: 47,
  tripwire_revenue: 0,
  monthly_recurring_revenue: 47,
  active_subscriptions: 1,
  subscription_breakdown: { membership: { count: 1, revenue: 47, mrr: 47 } },
  recent_transactions: [
    {
      id: '0190c000-0000-7000-8000-000000000002',
      type: 'subscription',
      tier: 'membership',
      amount: 47,
      timestamp: '2024-01-02T00:00:00Z',
    },
  ],
  ...version,
};

export const commissions: CommissionFigures = {
  timestamp: at,
  total_commissions: 23.5,
  states: { on_hold: 0, payable: 23.5, paid: 0 },
  total_transactions: 1,
  top_performers: [{ username: 'affiliate1', total_commission: 23.5, transaction_count: 1 }],
  commission_by_tier: { membership: { count: 1, total: 23.5 } },
  recent_commissions: [
    {
      id: '0190c000-0000-7000-8000-000000000003',
      username: 'affiliate1',
      tier: 'membership',
      amount: 47,
      commission: 23.5,
      created_at: '2024-01-02T00:00:00Z',
    },
  ],
  ...version,
};

/** Twelve months, of which the last but one has 47 and the present one as much so far. */
export const months = (name: string): Series => ({
  name,
  unit: name === 'mrr' ? 'money' : 'count',
  kind: name === 'mrr' ? 'stock' : 'flow',
  ...(name === 'mrr' && { currency: 'USD' }),
  step: 'month',
  tz: 'UTC',
  points: Array.from({ length: 12 }, (_, month) => ({
    start: new Date(Date.UTC(2025, 11 + month)).toISOString(),
    end: month === 11 ? at : new Date(Date.UTC(2025, 12 + month)).toISOString(),
    partial: month === 11,
    value: month < 10 ? 0 : 47,
  })),
  ...version,
});

export const key: Key = {
  id: '0190c000-0000-7000-8000-000000000004',
  name: 'Billing export',
  user_id: null,
  hint: 'rr_Ab3x',
  permissions: ['read_metrics', 'write_webhooks'],
  created_at: '2026-11-01T09:00:00Z',
  expires_at: '2027-11-01T09:00:00Z',
  last_used: null,
  is_active: true,
  status: 'active',
  usage: { count: 0, last_address: null, permissions: [] },
  unused_permissions: ['read_metrics', 'write_webhooks'],
};

export const event: Event = {
  id: '0190c000-0000-7000-8000-000000000005',
  event_type: 'alert',
  source: 'api',
  occurred_at: null,
  received_at: '2026-11-22T11:59:00Z',
  data: { event_type: 'alert', message: 'High CPU usage detected <img src=x onerror=alert(1)>' },
};

export const secret: Source['secrets'][number] = {
  id: '0190c000-0000-7000-8000-000000000005',
  fingerprint: 'ba7816bf8f01',
  created_at: at,
  expires_at: null,
};

export const source: Source = {
  name: 'default',
  format: 'auto',
  key_id: null,
  enabled: true,
  unsigned: false,
  retention_days: null,
  retention_bytes: null,
  created_at: at,
  updated_at: at,
  secrets: [],
};
