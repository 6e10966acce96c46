// The same totals by group, as small bar charts.

import { formatCount, formatCounted, formatLabel, formatMoney } from '../../format';
import { Answer, type Read } from '../../parts/Answer';
import { BarList, type BarRow } from '../../parts/BarList';
import { Card, Empty } from '../../parts/Card';
import type { CommissionFigures, RevenueFigures, UserFigures } from '../../server/calls';
import styles from './figures.module.css';

interface BreakdownsProps {
  users: Read<UserFigures>;
  revenue: Read<RevenueFigures>;
  commissions: Read<CommissionFigures>;
}

export function Breakdowns({ users, revenue, commissions }: BreakdownsProps) {
  const currency = revenue.data?.currency ?? 'USD';
  return (
    <div className={styles.breakdowns}>
      <Card title="Users by role">
        <Answer of={users} lines={4}>
          {(figures) => <Bars rows={counts(figures.users_by_role)} none="No users yet." />}
        </Answer>
      </Card>
      <Card title="Users by status">
        <Answer of={users} lines={4}>
          {(figures) => <Bars rows={counts(figures.users_by_status)} none="No users yet." />}
        </Answer>
      </Card>
      <Card title="Subscription revenue by tier">
        <Answer of={revenue} lines={4}>
          {(figures) => (
            <Bars
              rows={groups(figures.subscription_breakdown, (tier) => ({
                value: tier.revenue,
                text: formatMoney(tier.revenue, currency),
                note: `${formatCount(tier.count)} active`,
              }))}
              none="No subscriptions yet."
            />
          )}
        </Answer>
      </Card>
      <Card title="Commissions by tier">
        <Answer of={commissions} lines={4}>
          {(figures) => (
            <Bars
              rows={groups(figures.commission_by_tier, (tier) => ({
                value: tier.total,
                text: formatMoney(tier.total, currency),
                note: formatCounted(tier.count, 'sale'),
              }))}
              none="No commissions yet."
            />
          )}
        </Answer>
      </Card>
    </div>
  );
}

function Bars({ rows, none }: { rows: BarRow[]; none: string }) {
  return rows.length === 0 ? <Empty>{none}</Empty> : <BarList rows={rows} />;
}

function counts(by: Record<string, number>): BarRow[] {
  return groups(by, (value) => ({ value, text: formatCount(value) }));
}

/** Rows by size, largest first; equal ones by name, so that they do not swap places at each refresh. */
function groups<Group>(by: Record<string, Group>, row: (group: Group) => Omit<BarRow, 'name'>): BarRow[] {
  return Object.entries(by)
    .map(([name, group]) => ({ name: formatLabel(name), ...row(group) }))
    .toSorted((a, b) => b.value - a.value || a.name.localeCompare(b.name));
}
