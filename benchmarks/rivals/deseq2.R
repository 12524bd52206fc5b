# Times DESeq2 (Bioconductor; Love, Huber & Anders 2014) on a table of counts.
#
#     Rscript deseq2.R COUNTS SHEET FACTOR NUMERATOR DENOMINATOR OUT
#
# Reading the files does not count. Prints seconds; writes the table of results.

suppressMessages(library(DESeq2))
given <- commandArgs(TRUE)
counts <- as.matrix(read.delim(given[1], row.names = 1, check.names = FALSE))
storage.mode(counts) <- "integer"
sheet <- read.delim(given[2], row.names = 1, stringsAsFactors = TRUE)

find <- function(counts) {
  data <- DESeqDataSetFromMatrix(counts, sheet, as.formula(paste("~", given[3])))
  results(DESeq(data, quiet = TRUE), contrast = given[3:5])
}

some <- order(-rowSums(counts))[1:1000]
invisible(find(counts[some, ]))
began <- proc.time()[["elapsed"]]
found <- find(counts)
cat(proc.time()[["elapsed"]] - began, "\n")
write.table(format(as.data.frame(found), digits = 12, trim = TRUE), given[6], sep = "\t", quote = FALSE)
