// The board that is played on: the game's own picture, and over it what may be touched. It knows no game: the server
// says for each legal move which cells are touched for it, in which order.
//
// scene: {svg, moves: [[action, word, [[x, y, size, left, top, width, height], ...]], ...], overlay, live, ghost, label,
//         text, pieces, cover}
export default {
  template: `
    <div class="board" :class="{live: scene.live, keys: keys}" role="application" tabindex="0"
         :aria-label="scene.label" aria-describedby="board-help" @keydown="key" @blur="leave" ref="root">
      <div class="board-picture" v-html="scene.svg" aria-hidden="true" ref="picture"></div>
      <svg class="board-layer" ref="layer" :viewBox="box" aria-hidden="true" @pointerdown="down" @pointermove="move"
           @pointerup="up" @pointercancel="cancel" @pointerleave="hover = null">
        <g v-html="scene.overlay || ''" pointer-events="none"></g>
        <g pointer-events="none">
          <rect v-if="picked" :x="picked[0] - picked[2] / 2" :y="picked[1] - picked[2] / 2" :width="picked[2]"
                :height="picked[2]" class="board-picked"/>
          <g v-if="picked">
            <circle v-for="t in targets" :key="t.join()" :cx="t[0]" :cy="t[1]"
                    :r="t[2] * (occupied(t) ? 0.44 : 0.15)" :class="occupied(t) ? 'board-take' : 'board-dot'"/>
          </g>
          <g v-if="scene.live && scene.dots && !picked && !scene.overlay">
            <circle v-for="t in targets" :key="t.join()" :cx="t[0]" :cy="t[1]" :r="t[2] * 0.1" class="board-dot faint"/>
          </g>
          <g v-if="hover && scene.live && !two">
            <rect v-if="hover[5]" :x="hover[3]" :y="hover[4]" :width="hover[5]" :height="hover[6]" class="board-column"/>
            <circle :cx="hover[0]" :cy="hover[1]" :r="hover[2] * 0.39" :fill="scene.ghost" class="board-ghost"/>
          </g>
          <rect v-if="cursor" :x="cursor[0] - cursor[2] / 2 + 1.5" :y="cursor[1] - cursor[2] / 2 + 1.5"
                :width="cursor[2] - 3" :height="cursor[2] - 3" rx="4" class="board-cursor"/>
        </g>
      </svg>
      <div v-if="choices.length" class="board-choices" role="menu" aria-label="Choose what the piece becomes">
        <button v-for="c in choices" :key="c[0]" role="menuitem" class="button" @click.stop="send(c)">{{ c[1] }}</button>
        <button class="button quiet" @click.stop="reset">Cancel</button>
      </div>
      <button v-if="scene.cover" class="board-cover button" @click="$emit('reveal')">{{ scene.cover }}</button>
      <span class="sr-only" aria-live="polite">{{ said }}</span>
      <span class="sr-only" id="board-help">Arrow keys go from cell to cell, Enter touches one, Escape lets go.</span>
      <pre class="sr-only">{{ scene.text }}</pre>
    </div>`,
  props: { scene: Object },
  data() {
    return { picks: [], hover: null, cursor: null, choices: [], said: "", drag: null, sent: null, keys: false, box: "0 0 100 100" };
  },
  computed: {
    candidates() {  // the moves that begin with what was touched so far
      return this.scene.live
        ? this.scene.moves.filter((m) => m[2].length > this.picks.length && this.picks.every((p, i) => same(p, m[2][i])))
        : [];
    },
    targets() {  // the cells that may be touched next
      const found = new Map();
      for (const m of this.candidates) found.set(m[2][this.picks.length].slice(0, 2).join(), m[2][this.picks.length]);
      return [...found.values()];
    },
    picked() { return this.picks.length ? this.picks[this.picks.length - 1] : null; },
    two() { return this.scene.moves.some((m) => m[2].length > 1); },
  },
  watch: {
    "scene.key"() { this.reset(); this.sent = null; },
    "scene.svg"() { this.measure(); },
  },
  mounted() { this.measure(); },
  methods: {
    measure() {
      const found = /viewBox="([^"]*)"/.exec(this.scene.svg || "");
      this.box = found ? found[1] : "0 0 100 100";
    },
    place(event) {
      const matrix = this.$refs.layer.getScreenCTM();
      if (!matrix) return [0, 0];
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
      return [point.x, point.y];
    },
    at(x, y, among) {
      let best = null, least = Infinity;
      for (const t of among) {
        const inside = t[5]
          ? x >= t[3] && x <= t[3] + t[5] && y >= t[4] && y <= t[4] + t[6]
          : Math.max(Math.abs(x - t[0]), Math.abs(y - t[1])) <= t[2] * 0.55;
        const far = Math.hypot(x - t[0], t[5] ? 0 : y - t[1]);
        if (inside && far < least) { best = t; least = far; }
      }
      return best;
    },
    starts() { return this.scene.moves.filter((m) => m[2].length).map((m) => m[2][0]); },
    down(event) {
      this.keys = false;
      if (!this.scene.live || this.choices.length || this.sent !== null || event.button > 0) return;
      const [x, y] = this.place(event);
      const target = this.at(x, y, this.targets);
      if (target && (this.picks.length || !this.two)) { this.touch(target); return; }
      this.picks = [];
      const from = this.at(x, y, this.starts());
      if (!from) { this.said = ""; return; }
      this.touch(from);
      if (this.two) {
        this.drag = { from, x: event.clientX, y: event.clientY, piece: this.piece(from), moved: false };
        this.$refs.layer.setPointerCapture(event.pointerId);
      }
    },
    move(event) {
      if (this.drag) {
        const dx = event.clientX - this.drag.x, dy = event.clientY - this.drag.y;
        if (Math.hypot(dx, dy) > 5) this.drag.moved = true;
        if (this.drag.piece && this.drag.moved) {
          const scale = this.$refs.layer.getScreenCTM().a;
          const old = this.drag.base;
          this.drag.piece.setAttribute("transform", `translate(${dx / scale} ${dy / scale}) ${old || this.base()}`);
        }
        return;
      }
      if (!this.scene.live || this.two || event.pointerType === "touch") return;
      this.hover = this.at(...this.place(event), this.targets);
    },
    base() {
      this.drag.base = this.drag.piece.getAttribute("transform") || "";
      this.drag.piece.parentNode.appendChild(this.drag.piece);  // above the others
      return this.drag.base;
    },
    up(event) {
      if (!this.drag) return;
      const { piece, base, moved } = this.drag;
      this.drag = null;
      if (!moved) return;
      const target = this.at(...this.place(event), this.targets);
      if (target) this.touch(target); else this.reset();
      if (piece && base !== undefined && !target) piece.setAttribute("transform", base);
    },
    leave() { this.cursor = null; this.keys = false; },
    cancel() {
      if (this.drag && this.drag.piece && this.drag.base !== undefined) this.drag.piece.setAttribute("transform", this.drag.base);
      this.drag = null;
    },
    piece(cell) {  // the drawing that stands on a cell
      const matrix = this.$refs.layer.getScreenCTM();
      const middle = new DOMPoint(cell[0], cell[1]).matrixTransform(matrix);
      let best = null, least = cell[2] * matrix.a * 0.3;
      for (const each of this.$refs.picture.querySelectorAll("svg g > g[transform], svg circle")) {
        const r = each.getBoundingClientRect();
        const far = Math.hypot(r.x + r.width / 2 - middle.x, r.y + r.height / 2 - middle.y);
        if (far < least) { best = each; least = far; }
      }
      return best;
    },
    occupied(cell) { return this.two && this.piece(cell) !== null; },
    touch(cell) {
      this.picks = [...this.picks, cell];
      this.hover = null;
      const whole = this.scene.moves.filter(
        (m) => m[2].length === this.picks.length && m[2].every((t, i) => same(t, this.picks[i])));
      if (whole.length === 1) this.send(whole[0]);
      else if (whole.length > 1) {
        this.choices = whole;
        this.$nextTick(() => this.$refs.root.querySelector(".board-choices button").focus());
      } else this.said = `${this.targets.length} cells can be reached`;
    },
    send(m) {
      this.said = m[1];
      this.sent = m[0];
      this.choices = [];
      this.picks = [];
      this.$emit("play", m[0], this.scene.key);
      setTimeout(() => { this.sent = null; }, 1500);
      this.$refs.root.focus({ preventScroll: true });
    },
    reset() { this.picks = []; this.choices = []; this.hover = null; this.drag = null; },
    word(cell) {
      const here = this.candidates.filter((m) => same(m[2][this.picks.length], cell));
      return here.length === 1 ? here[0][1] : `${here.length} moves from here: ${here.slice(0, 4).map((m) => m[1]).join(", ")}`;
    },
    key(event) {
      this.keys = true;
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (event.key === "Escape") { this.reset(); this.cursor = null; return; }
      if (!this.scene.live || !this.targets.length || this.choices.length) return;  // then the page's keys have it
      if (way) {
        event.preventDefault(); event.stopPropagation();
        const from = this.cursor || this.picked || null;
        this.cursor = from ? this.next(from, way) : this.middle();
        this.said = this.word(this.cursor);
      } else if ((event.key === "Enter" || event.key === " ") && this.cursor) {
        event.preventDefault(); event.stopPropagation();
        const cell = this.cursor;
        if (this.targets.some((t) => same(t, cell))) {
          this.touch(cell);
          if (this.picks.length && this.targets.length) this.cursor = this.targets[0];
        }
      }
    },
    middle() {
      const [left, top, width, height] = this.box.split(/\s+/).map(Number);
      return near(this.targets, left + width / 2, top + height / 2);
    },
    next(from, [dx, dy]) {  // the nearest cell that lies that way
      let best = null, least = Infinity;
      for (const t of this.targets) {
        const along = (t[0] - from[0]) * dx + (t[1] - from[1]) * dy;
        const aside = Math.abs((t[0] - from[0]) * dy) + Math.abs((t[1] - from[1]) * dx);
        if (along > 1 && along + 2.5 * aside < least && (along >= aside * 0.6)) { best = t; least = along + 2.5 * aside; }
      }
      return best || from;
    },
  },
};

function same(a, b) { return a && b && Math.abs(a[0] - b[0]) < 0.01 && Math.abs(a[1] - b[1]) < 0.01; }

function near(cells, x, y) {
  return cells.reduce((a, b) => (Math.hypot(a[0] - x, a[1] - y) <= Math.hypot(b[0] - x, b[1] - y) ? a : b));
}
