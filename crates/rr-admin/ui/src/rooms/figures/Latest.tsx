// The newest rows behind the figures.

import type { ReactNode } from 'react';

import { formatCounted, formatLabel, formatMoney } from '../../format';
import { Answer, type Read } from '../../parts/Answer';
import { Card, Empty } from '../../parts/Card';
import { When } from '../../parts/When';
import type { CommissionFigures, RevenueFigures } from '../../server/calls';
import styles from './figures.module.css';

interface LatestProps {
  revenue: Read<RevenueFigures>;
  commissions: Read<CommissionFigures>;
}

export function Latest({ revenue, commissions }: LatestProps) {
  const currency = revenue.data?.currency ?? 'USD';
  return (
    <div className={styles.latest}>
      <Card title="Recent transactions">
        <Answer of={revenue} lines={5}>
          {({ recent_transactions }) => (
            <Rows none="No transactions yet.">
              {recent_transactions.map((row) => (
                <Row
                  key={`${row.id} ${row.type}`}
                  name={formatLabel(row.type)}
                  note={row.type === row.tier ? null : formatLabel(row.tier)}
                  amount={formatMoney(row.amount, currency)}
                  negative={row.amount < 0}
                  time={row.timestamp}
                />
              ))}
            </Rows>
          )}
        </Answer>
      </Card>
      <Card title="Top performers" aside={<Payout />}>
        <Answer of={commissions} lines={5}>
          {({ top_performers }) => (
            <Rows none="Nobody has earned a commission yet.">
              {top_performers.map((row) => (
                <Row
                  key={row.username}
                  name={row.username}
                  note={formatCounted(row.transaction_count, 'commission')}
                  amount={formatMoney(row.total_commission, currency)}
                />
              ))}
            </Rows>
          )}
        </Answer>
      </Card>
      <Card title="Recent commissions">
        <Answer of={commissions} lines={5}>
          {({ recent_commissions }) => (
            <Rows none="No commissions yet.">
              {recent_commissions.map((row) => (
                <Row
                  key={row.id}
                  name={row.username}
                  note={`${formatLabel(row.tier)}, of ${formatMoney(row.amount, currency)}`}
                  amount={formatMoney(row.commission, currency)}
                  time={row.created_at}
                />
              ))}
            </Rows>
          )}
        </Answer>
      </Card>
    </div>
  );
}

/** Everything that is to be paid out, as a file. */
function Payout() {
  return (
    <a className={styles.payout} href="/api/devops/commissions/payout?format=csv" download>
      Payout (CSV)
    </a>
  );
}

function Rows({ none, children }: { none: string; children: ReactNode[] }) {
  return children.length === 0 ? <Empty>{none}</Empty> : <ul className={styles.rows}>{children}</ul>;
}

interface RowProps {
  name: string;
  note: string | null;
  amount: string;
  negative?: boolean;
  time?: string;
}

function Row({ name, note, amount, negative = false, time }: RowProps) {
  return (
    <li>
      <span className={styles.rowName} title={[name, note].filter(Boolean).join(' ')}>
        {name}
        {note && <span className={styles.rowNote}> {note}</span>}
      </span>
      <span className={styles.rowAmount} data-negative={negative || undefined}>
        {amount}
      </span>
      {time && (
        <span className={styles.rowTime}>
          <When time={time} />
        </span>
      )}
    </li>
  );
}
