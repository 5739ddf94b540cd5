// A board on which anything may be placed. It knows no game: the server says what stands on each cell and what a touch
// puts there; arrow keys go from cell to cell.
//
// board: {columns, kind, cells: [[name, what stands there, drawing], ...]}; emits `place` (cell).
export default {
  template: `
    <div class="placing" :class="board.kind" role="group" aria-label="Board: arrow keys go from cell to cell, Enter places"
         :style="{ '--columns': board.columns, '--rows': board.cells.length / board.columns }" ref="root" @keydown="key">
      <button v-for="(cell, at) in board.cells" :key="at" type="button" class="placing-cell"
              :class="{ dark: (at % board.columns + Math.floor(at / board.columns)) % 2 }"
              :style="{ '--row': Math.floor(at / board.columns), '--column': at % board.columns }"
              :tabindex="at === here ? 0 : -1" :aria-label="cell[0] + ', ' + cell[1]" :title="cell[0]"
              @click="here = at; $emit('place', at)" @focus="here = at">
        <svg viewBox="0 0 40 40" aria-hidden="true" v-html="cell[2]"></svg>
      </button>
    </div>`,
  props: { board: Object },
  data() { return { here: 0 }; },
  methods: {
    key(event) {
      const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.board.columns, ArrowDown: this.board.columns }[event.key];
      if (!by) return;
      event.preventDefault();
      const column = this.here % this.board.columns + (Math.abs(by) === 1 ? by : 0);
      const next = this.here + by;
      if (next < 0 || next >= this.board.cells.length || (Math.abs(by) === 1 && (column < 0 || column >= this.board.columns))) return;
      this.here = next;
      this.$refs.root.children[next].focus();
    },
  },
};
