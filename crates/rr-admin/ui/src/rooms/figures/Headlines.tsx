// The four numbers people look at first.

import type { ReactNode } from 'react';

import { formatCount, formatCounted, formatMoney } from '../../format';
import { Answer, type Read } from '../../parts/Answer';
import { Card } from '../../parts/Card';
import type { CommissionFigures, Dashboard, RevenueFigures, UserFigures } from '../../server/calls';
import { Growth } from './Growth';
import styles from './figures.module.css';

interface HeadlinesProps {
  dashboard: Read<Dashboard>;
  users: Read<UserFigures>;
  revenue: Read<RevenueFigures>;
  commissions: Read<CommissionFigures>;
}

export function Headlines({ dashboard, users, revenue, commissions }: HeadlinesProps) {
  // The dashboard has the growth and no currency; revenue has the currency and no growth.
  const currency = revenue.data?.currency ?? 'USD';
  return (
    <div className={styles.headlines}>
      <Card title="Users">
        <Answer of={users} lines={3}>
          {(figures) => (
            <Headline number={formatCount(figures.total_users)}>
              <Grown by={dashboard} of={(data) => data.users} since="30 days ago" />
              <p>{formatCounted(figures.recent_signups, 'sign-up')} in 7 days</p>
            </Headline>
          )}
        </Answer>
      </Card>
      <Card title="Revenue">
        <Answer of={revenue} lines={3}>
          {(figures) => (
            <Headline number={formatMoney(figures.total_revenue, figures.currency)}>
              <Grown by={dashboard} of={(data) => data.revenue} since="previous 30 days" />
              <p>{formatMoney(figures.tripwire_revenue, figures.currency)} of it tripwire</p>
            </Headline>
          )}
        </Answer>
      </Card>
      <Card title="Monthly recurring revenue">
        <Answer of={revenue} lines={3}>
          {(figures) => (
            <Headline number={formatMoney(figures.monthly_recurring_revenue, figures.currency)}>
              <p>{formatCounted(figures.active_subscriptions, 'active subscription')}</p>
            </Headline>
          )}
        </Answer>
      </Card>
      <Card title="Commissions">
        <Answer of={commissions} lines={3}>
          {(figures) => (
            <Headline number={formatMoney(figures.total_commissions, currency)}>
              <p>{formatCounted(figures.total_transactions, 'commission')}</p>
            </Headline>
          )}
        </Answer>
      </Card>
    </div>
  );
}

function Headline({ number, children }: { number: string; children: ReactNode }) {
  return (
    <div className={styles.headline}>
      <p className={styles.number}>{number}</p>
      {children}
    </div>
  );
}

interface GrownProps {
  by: Read<Dashboard>;
  of: (dashboard: Dashboard) => Dashboard['users'];
  since: string;
}

/** How a number grew. It is read apart from the number, so it may be missing when that is there. */
function Grown({ by, of, since }: GrownProps) {
  if (by.data) return <Growth of={of(by.data)} since={since} />;
  return by.error ? <p>Its growth could not be read.</p> : null;
}
