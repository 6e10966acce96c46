// How a number grew, and which way that points.

import { formatPercent } from '../../format';
import { DownIcon, LevelIcon, NewIcon, UpIcon } from '../../parts/icons';
import type { Headline, Trend } from '../../server/calls';
import styles from './figures.module.css';

const ICONS: Record<Trend, () => React.JSX.Element> = { up: UpIcon, down: DownIcon, stable: LevelIcon, new: NewIcon };

interface GrowthProps {
  of: Pick<Headline, 'growthRate' | 'trend'>;
  /** What the number is compared with. */
  since: string;
}

export function Growth({ of, since }: GrowthProps) {
  const Icon = ICONS[of.trend];
  return (
    <p className={styles.growth}>
      <span className={styles.trend} data-trend={of.trend}>
        <Icon />
        {of.growthRate === null || of.growthRate === undefined ? 'New' : formatPercent(of.growthRate)}
      </span>
      {of.growthRate === null || of.growthRate === undefined
        ? `nothing to compare with ${since}`
        : `${of.trend}, against ${since}`}
    </p>
  );
}
